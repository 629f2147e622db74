// Plain English, held by a list of words that the style guide rules out. `node test/support/word-list.ts PATH` prints what it finds.
import { expect, it } from 'vitest';
import {
  type Finding,
  findPhrases,
  findWords,
  readCode,
  readGraphql,
  readMarkdown,
  splitName,
} from '../../support/word-list.ts';

/** What stays as it is: file, phrase, and the reason. */
const EXCEPTIONS: readonly (readonly [file: string, phrase: string, reason: string])[] = [
  ['src/graphiql/account/error-message.ts', 'answer', 'the error code BAD_ANSWER of the client'],
  [
    'src/operations/background-jobs.ts',
    'housekeeping',
    'the name of the lease, which older instances take too',
  ],
  ['src/operations/metrics.ts', 'verb', 'a label of bandha_account_seconds'],
];

const PATHS = [
  'src',
  'test',
  'README.md',
  'docs',
  'CONTRIBUTING.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'schema.graphql',
];

const isException = ({ file, phrase }: Finding) =>
  EXCEPTIONS.some(([path, text]) => path === file && text === phrase.toLowerCase());

it.each(PATHS)('%s keeps to the word list', (path) => {
  const found = findWords(path)
    .filter((finding) => !isException(finding))
    .map(({ file, line, kind, phrase, text }) => `${file}:${line} ${kind} "${phrase}": ${text.slice(0, 80)}`);
  expect(found).toEqual([]);
});

it('every exception to the word list is still needed', () => {
  const found = PATHS.flatMap(findWords).map(({ file, phrase }) => `${file}: ${phrase.toLowerCase()}`);
  const unneeded = EXCEPTIONS.filter(([file, phrase]) => !found.includes(`${file}: ${phrase}`));
  expect(unneeded).toEqual([]);
});

it('the finder reads comments, strings, names, tests, Markdown and GraphQL', () => {
  const source = `
    // Tells whoever asks.
    const refusedToken = 'Nobody is home'; /* at the front door */
    const message = \`the \${refusedToken} lane\`;
  `;
  const found = readCode('a.ts', source, false).flatMap(({ kind, text }) => findPhrases(kind, text));
  expect(found.toSorted()).toEqual(['Nobody', 'Tells', 'door', 'lane', 'refused', 'whoever']);
  const tests = readCode('a.test.ts', "describe('guard', () => it.each([1])('is told', () => {}));", true);
  expect(tests.flatMap(({ kind, text }) => findPhrases(kind, text))).toEqual(['told', 'is']);
  const markdown = readMarkdown('A `door` is a\n```sh\nlane\n```\nlane');
  expect(markdown.flatMap(({ kind, text }) => findPhrases(kind, text))).toEqual(['lane']);
  const graphql = readGraphql('"""\nTells\n"""\ntype Door { "shall" a: Int } # anew');
  expect(graphql.flatMap(({ kind, text }) => findPhrases(kind, text))).toEqual(['Tells', 'shall', 'anew']);
});

it('the finder leaves ordinary English alone', () => {
  const sentences = [
    'Argon2id takes one lane',
    'A firewall and wall-clock time',
    'The plugin throws an error if the option is missing',
    'A foreign key of the plain text column',
  ];
  expect(sentences.flatMap((text) => findPhrases('comment', text))).toEqual([]);
  expect(findPhrases('identifier', splitName('isPlainObject'))).toEqual([]);
  expect(splitName('createHTTPServer_FAST')).toBe('create http server fast');
});
