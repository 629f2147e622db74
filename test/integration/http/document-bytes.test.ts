// Compares the estimated bytes of a document with the heap: with too low an estimate, a limit in bytes would not hold.
import { buildSchema, GraphQLError, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { documentBytes, dropStack, errorBytes } from '../../../src/http/documents/document-bytes.ts';
import { retainedBytes } from '../../support/heap.ts';

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');
/** A new string with the same text, because equal literals share their bytes. */
const copy = (text: string) => Buffer.from(text).toString();

/** The test runner allocates memory during the measurement. */
const NOISE_BYTES = 500;

it.each([
  ['many short names', `{${repeat(9_000, (i) => `a${i}`)}}`],
  ['one repeated name', `{${'a '.repeat(9_000)}}`],
  ['aliases', `{${repeat(3_300, (i) => `x${i}:id`)}}`],
  ['names of 40 characters', `{${repeat(500, (i) => `${'long'.repeat(10)}${i}`)}}`],
  ['arguments', `{${repeat(1_200, () => 'a(b:1 c:2)')}}`],
  ['small selections', `{${'a{b} '.repeat(2_400)}}`],
  ['deep selections', `{${'a{'.repeat(190)}b${'}'.repeat(190)}}`],
  ['inline fragments', `{${'...{a} '.repeat(2_400)}}`],
  ['fragments', repeat(1_200, (i) => `fragment f${i} on A{a}`)],
  ['directives', `{${'a@b '.repeat(3_300)}}`],
  ['a list', `{a(b:[${'1 '.repeat(9_000)}])}`],
  ['objects', `{a(b:{${'a:1 '.repeat(3_300)}})}`],
  ['variables', `query(${'$a:b '.repeat(2_400)}){a}`],
  ['a long string', `{a(b:"${'x'.repeat(19_000)}")}`],
  ['block strings', `{a(b:[${'"""x y z and some more""" '.repeat(700)}])}`],
  ['an ordinary query', 'query Q($n: Int!) { viewer { id email sessions(first: $n) { id createdAt } } }'],
])('a document of %s takes 45 to 105% of the estimated bytes', async (_, text) => {
  const estimated = documentBytes(parse(text)) + 2 * text.length;
  const count = text.length > 5_000 ? 10 : 200;
  parse(copy(text));
  const measured = await retainedBytes(count, () => parse(copy(text)));
  expect(measured).toBeLessThan(estimated * 1.05 + NOISE_BYTES);
  expect(measured).toBeGreaterThan(estimated * 0.45 - NOISE_BYTES);
});

it('a document without locations takes no more bytes than estimated', async () => {
  const text = `{${repeat(9_000, (i) => `a${i}`)}}`;
  const measured = await retainedBytes(10, () => parse(copy(text), { noLocation: true }));
  expect(measured).toBeLessThan(documentBytes(parse(text, { noLocation: true })) + 2 * text.length);
});

const schema = buildSchema('type Query { viewer: Viewer } type Viewer { id: ID name: String }');

it.each([
  ['fields that do not exist', `{${repeat(9_000, (i) => `a${i}`)}}`],
  ['fields that conflict', `{${'viewer{x:id} viewer{x:name} '.repeat(50)}}`],
  ['variables that are not used', `query(${repeat(2_000, (i) => `$v${i}:ID`)}){viewer{id}}`],
])('validation errors for %s take no more bytes than estimated', async (_, text) => {
  const document = parse(text);
  const validated = () => {
    const errors = validate(schema, document);
    for (const error of errors) dropStack(error);
    return errors;
  };
  const measured = await retainedBytes(20, validated);
  expect(measured).toBeLessThan(errorBytes(validated()));
});

it('a syntax error takes no more bytes than estimated beside its text', async () => {
  const text = `{${'aaaaa '.repeat(3_000)}$`;
  const failed = () => {
    try {
      parse(copy(text));
    } catch (error) {
      if (error instanceof GraphQLError) dropStack(error);
      return error;
    }
  };
  const estimated = errorBytes([failed() as GraphQLError]) + 2 * text.length;
  expect(await retainedBytes(50, failed)).toBeLessThan(estimated);
});
