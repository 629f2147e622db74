// Every code block of README.md, CONTRIBUTING.md, SECURITY.md and docs is checked as it stands.
import { describe, expect, it } from 'vitest';
import { findGraphqlErrors } from '../../support/docs/check-graphql.ts';
import { findCommandErrors, findShellErrors, findUnknownVariables } from '../../support/docs/check-shell.ts';
import { findTypeErrors, isTypeScript } from '../../support/docs/check-typescript.ts';
import {
  type CodeBlock,
  isGenerated,
  listPages,
  readBlocks,
  readInlineCode,
  readPage,
} from '../../support/docs/pages.ts';

/** Languages without a check, each with its reason. */
const UNCHECKED: Readonly<Record<string, string>> = {
  text: 'output of a program, or a log',
  mermaid: 'a diagram, drawn by GitHub',
  http: 'a message as it goes over the network',
  nginx: 'configuration of a program that the tests do not have',
  ini: 'a systemd unit or an environment file',
  yaml: 'configuration of programs that the tests do not have',
  sql: 'statements for the operator of a database',
  python: 'the other side of a comparison',
  promql: 'queries for Prometheus',
};
const CHECKED = ['ts', 'tsx', 'js', 'jsx', 'graphql', 'json', 'sh'];

const pages = listPages();
const blocks = pages.flatMap(readBlocks);
const at = ({ page, line }: CodeBlock) => `${page}:${line}`;

describe('code blocks', () => {
  it('the pages have code blocks, each with a known language', () => {
    expect(blocks.length).toBeGreaterThan(20);
    const unknown = blocks.filter(
      ({ language }) => !CHECKED.includes(language) && !Object.hasOwn(UNCHECKED, language),
    );
    expect(unknown.map((block) => `${at(block)}: ${block.language || 'no language'}`)).toEqual([]);
  });

  it('TypeScript and JavaScript blocks compile', async () => {
    // Examples of doc comments are excerpts; library.md is held by reference.test.ts.
    const checked = blocks.filter((block) => isTypeScript(block) && !isGenerated(block.page));
    expect(await findTypeErrors(checked)).toEqual([]);
  });

  it.each(pages)('GraphQL blocks build or are valid operations: %s', (page) => {
    const checked = readBlocks(page).filter(({ language }) => language === 'graphql');
    expect(findGraphqlErrors(checked)).toEqual([]);
  });

  it('JSON blocks can be parsed', () => {
    const broken = blocks
      .filter(({ language }) => language === 'json')
      .filter(({ code }) => !isJson(code))
      .map(at);
    expect(broken).toEqual([]);
  });

  it('shell blocks use existing scripts, commands, options and paths', () => {
    const issues = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap((block) => findShellErrors(block.code).map((issue) => `${at(block)}: ${issue}`));
    expect(issues).toEqual([]);
  });

  it('inline code uses existing scripts, commands, options and paths', () => {
    const issues = pages
      .flatMap(readInlineCode)
      .filter(({ code }) => /^(npm|npx|bandha) /.test(code))
      .flatMap(({ page, line, code }) => findCommandErrors(code).map((issue) => `${page}:${line}: ${issue}`));
    expect(issues).toEqual([]);
  });

  it.each(pages)('BANDHA_* variables are known to the configuration: %s', (page) => {
    expect(findUnknownVariables(readPage(page))).toEqual([]);
  });
});

describe('the checks', () => {
  const block = (language: string, code: string): CodeBlock => ({ page: 'page.md', line: 3, language, code });

  it('a type error is reported with the line of the page', async () => {
    const wrong = block(
      'ts',
      "import { createBandha } from 'bandha';\nawait createBandha({ typeDef: '' });\n",
    );
    const [issue, ...others] = await findTypeErrors([
      wrong,
      block('tsx', 'export const Page = () => <p>x</p>;'),
    ]);
    expect(issue).toMatch(/^page\.md:4: .*typeDef/);
    expect(others).toEqual([]);
  });

  it('a block named by its first line can be imported by others of its page', async () => {
    const auth = block('ts', '// auth.ts\nexport const one: number = 1;\n');
    const use = { ...block('ts', "import { one } from './auth.ts';\nconsole.log(one.length);\n"), line: 9 };
    expect(await findTypeErrors([auth, use])).toEqual([
      "page.md:10: Property 'length' does not exist on type 'number'.",
    ]);
  });

  it.each([
    ['query { nothing }', /Cannot query field/],
    ['extend type Query { news: Nws }', /Nws/],
    ['extend type Query { viewer: String }', /viewer/],
    ['type Query { news: String @auth(role: ["a"]) }', /role/],
    ['directive @public on OBJECT', /not as in schema\.graphql/],
    ['type Query {', /Syntax Error/],
  ])('an invalid GraphQL block is reported: %s', (code, message) => {
    const [issue, ...others] = findGraphqlErrors([block('graphql', code)]);
    expect(issue).toMatch(message);
    expect(others).toEqual([]);
  });

  it.each([
    'extend type Query { invoice(id: ID!): String @auth(policies: [["owner"]]) }',
    'type Query { news: String @public }',
    'directive @public on FIELD_DEFINITION | OBJECT | INTERFACE',
    '{ viewer { email } }',
    'fragment Account on User { id }',
  ])('a valid GraphQL block passes: %s', (code) => {
    expect(findGraphqlErrors([block('graphql', code)])).toEqual([]);
  });

  it.each([
    ['npm run nothing', /no such script/],
    ['npx bandha users rename a', /no such command/],
    ['echo x | npm run -s bandha -- users add a@example.com --roles b', /no such option --roles/],
    ['node src/nothing.ts', /no such file/],
    ['npm i ./bandha-9.9.9.tgz', /npm pack makes/],
    ['npm i /path/to/clone/bandha-9.9.9.tgz graphql@17', /npm pack makes/],
    ['echo "', /unexpected EOF/],
  ])('an invalid shell block is reported: %s', (code, message) => {
    expect(findShellErrors(code)[0]).toMatch(message);
  });

  it('a valid shell block passes', () => {
    const code =
      "PORT=4001 npm start # serves\nprintf '%s' x | npm run bandha -- users add a@example.com --role b";
    expect(findShellErrors(code)).toEqual([]);
    expect(findCommandErrors('bandha schema [FILE] [--explain]')).toEqual([]);
  });

  it('an unknown variable is reported', () => {
    expect(findUnknownVariables('BANDHA_SECRET, BANDHA_SECRETS, VITE_BANDHA_URL, BANDHA_*')).toEqual([
      'BANDHA_SECRETS',
    ]);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
