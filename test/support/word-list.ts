// Finds words that the style guide rules out. `node test/support/word-list.ts src/storage` prints those of a folder.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ts } from 'ts-morph';

const ROOT = resolve(import.meta.dirname, '../..');

export type TextKind = 'comment' | 'string' | 'identifier' | 'prose' | 'test name' | 'group name';

/** A piece of text that people read. */
export interface Piece {
  kind: TextKind;
  line: number;
  text: string;
}

export interface Finding {
  /** Relative to the checkout. */
  file: string;
  line: number;
  kind: TextKind;
  /** As it stands in the text. */
  phrase: string;
  text: string;
}

const ANYWHERE =
  /\b(houses?|keep(s|ing)? house|doors?|lanes?|rule ?books?|policy ?books?|judg(e[sd]?|ing|e?ments?)|verdicts?|mend(s|ed|ing)?|chores?|goodbye|patience|thie(f|ves)|(no|some|any|every)bodys?|who(m|so)?ever|told|(un)?heard|hear(s|ing)?|tells|tell (of|apart)|anew|lately|for ever|once more|worthless|worth nothing|as good as|be(en)? had|says? so)\b/gi;
const ALSO_ANYWHERE =
  /(?<!fire)\bwall(s|ed)?\b(?![- ](clock|time))|(?<![-\w])standing\b|\ban own (?!data|prop|value)|\bshall\b/g;
const PROSE =
  /\b(undefined|null|true|false|rejects|throws|\w*Error|absent|nothing|empty|only|also|not) where\b|\bwhere (there (is|are|was)|none|not\b|it (is|was|has|does|cannot)|they (are|have))|(?<!\b(there|which|that|if) )\bis no (?!longer|more|less|need|limit|such)|\bfaults?\b(?! toleran)|\brefusals?\b|(?<!HTTP )\bverbs?\b|\bhousekeeping\b/gi;
const OPENER = /^(What|Who|Whose|Where|Of|Nor|So (many|long|much)|As (a|an|the|it|they)) /g;
const IDENTIFIER =
  /\b(faults?|refus(als?|es?|ed|ing)|answer(s|ed|er|able)?|verbs?|ask(s|ed|ing)?|demands?|looks|hurried|wish(ed)?|turns?|follow(ers?)?|gap|around|under way|tries|foreign(?! key)|plain(?! ?text| ?object))\b/gi;
const TEST_NAME =
  /^(is|are|was|has|have|does|do|can|cannot|may|of|and|at|where|what|who|by|but|nor|even|also|it|they|that)\b/g;

/** The rules for each kind of text. */
const RULES: Readonly<Record<TextKind, readonly RegExp[]>> = {
  comment: [ANYWHERE, ALSO_ANYWHERE, PROSE, OPENER],
  string: [ANYWHERE, ALSO_ANYWHERE, PROSE, OPENER],
  identifier: [ANYWHERE, ALSO_ANYWHERE, IDENTIFIER],
  prose: [ANYWHERE, ALSO_ANYWHERE, PROSE],
  'test name': [ANYWHERE, ALSO_ANYWHERE, PROSE, OPENER, TEST_NAME],
  'group name': [ANYWHERE, ALSO_ANYWHERE, PROSE],
};

/** @param text of one piece; `Argon2` in it allows the word for its parallelism */
export function findPhrases(kind: TextKind, text: string): string[] {
  return RULES[kind]
    .flatMap((rule) => [...text.matchAll(rule)].map(([phrase]) => phrase.trim()))
    .filter((phrase) => !(/^lanes?$/i.test(phrase) && text.includes('Argon2')));
}

/** `createHTTPServer` as `create HTTP server`: names are read as words. */
export function splitName(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/[_$]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Comments, strings and declared names of a TypeScript or JavaScript file; of a test, the names of its tests alone. */
export function readCode(file: string, text: string, isTest: boolean): Piece[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const pieces: Piece[] = [];
  const visit = (node: ts.Node): void => {
    if (isTest) {
      const name = findTestName(node);
      if (name !== undefined) pieces.push({ ...name, line: lineOf(node.getStart()) });
    } else if (ts.isIdentifier(node) && isDeclared(node)) {
      pieces.push({ kind: 'identifier', line: lineOf(node.getStart()), text: splitName(node.text) });
    } else if (isText(node) && !isSpecifier(node)) {
      pieces.push({ kind: 'string', line: lineOf(node.getStart()), text: node.text });
    } else if (ts.isJsxText(node)) {
      pieces.push({ kind: 'string', line: lineOf(node.getStart()), text: node.text.trim() });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (!isTest) pieces.push(...readComments(source, text, lineOf));
  return pieces;
}

function readComments(source: ts.SourceFile, text: string, lineOf: (position: number) => number): Piece[] {
  const seen = new Set<number>();
  const pieces: Piece[] = [];
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      pieces.push({ kind: 'comment', line: lineOf(pos), text: toCommentText(text.slice(pos, end)) });
    }
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return pieces;
}

function toCommentText(comment: string): string {
  return comment
    .replaceAll(/^\/\*+|\*+\/$|^\s*\*+ ?|^\/\/+ ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The first argument of `it`, `test` or `describe`, with or without `.each(…)`. */
function findTestName(node: ts.Node): Pick<Piece, 'kind' | 'text'> | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [first] = node.arguments;
  if (first === undefined || !(isText(first) || ts.isTemplateExpression(first))) return undefined;
  const [, name] = /^(it|test|describe)\b/.exec(node.expression.getText()) ?? [];
  if (name === undefined) return undefined;
  const text = isText(first) ? first.text : first.getText().slice(1, -1);
  return { kind: name === 'describe' ? 'group name' : 'test name', text };
}

function isText(
  node: ts.Node,
): node is ts.StringLiteral | ts.NoSubstitutionTemplateLiteral | ts.TemplateHead {
  return (
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node)
  );
}

function isSpecifier({ parent }: ts.Node): boolean {
  return ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent);
}

function isDeclared(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  return ts.getNameOfDeclaration(parent as ts.Declaration) === node || ts.isBindingElement(parent);
}

/** Lines of Markdown outside code blocks and code spans. */
export function readMarkdown(text: string): Piece[] {
  let isCode = false;
  return text.split('\n').flatMap((line, index): Piece[] => {
    if (/^\s*```/.test(line)) {
      isCode = !isCode;
      return [];
    }
    if (isCode) return [];
    return [{ kind: 'prose', line: index + 1, text: line.replaceAll(/`[^`]*`|\]\([^)]*\)/g, '``') }];
  });
}

/** Descriptions and comments of a GraphQL document. */
export function readGraphql(text: string): Piece[] {
  const pieces = text.matchAll(/"""([\s\S]*?)"""|"([^"\n]*)"|#\s?(.*)/g);
  return [...pieces].map(({ 0: all, 1: block, 2: line, 3: comment, index }) => ({
    kind: 'comment',
    line: text.slice(0, index).split('\n').length,
    text: (block ?? line ?? comment ?? all).replaceAll(/\s+/g, ' ').trim(),
  }));
}

/** @param path a file or folder, relative to the checkout */
export function findWords(path: string): Finding[] {
  return listFiles(path).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return readPieces(file, text).flatMap((piece) =>
      findPhrases(piece.kind, piece.text).map((phrase) => ({ file, ...piece, phrase })),
    );
  });
}

function readPieces(file: string, text: string): Piece[] {
  if (file.endsWith('.md')) return readMarkdown(text);
  if (file.endsWith('.graphql')) return readGraphql(text);
  return readCode(file, text, file.startsWith('test/'));
}

function listFiles(path: string): string[] {
  const absolute = join(ROOT, path);
  if (statSync(absolute).isFile()) return [path];
  return readdirSync(absolute, { recursive: true, encoding: 'utf8' })
    .map((file) => relative(ROOT, join(absolute, file)))
    .filter((file) => /\.(tsx?|js|md|graphql)$/.test(file) && !file.endsWith('.generated.ts'))
    .toSorted();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const findings = process.argv.slice(2).flatMap(findWords);
  for (const { file, line, kind, phrase, text } of findings) {
    console.log(`${file}:${line} ${kind} "${phrase}": ${text.slice(0, 110)}`);
  }
  console.log(`${findings.length} found`);
}
