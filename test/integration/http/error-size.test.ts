// Checks that errors about invalid values are short and cheap, regardless of the number and length of the values.
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findVariableErrors } from '../../../src/http/plugins/use-input-errors.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

const TYPES = 'input Filter { name: String tags: [String!] all: [Filter!] }';
const MAX_RESPONSE_LENGTH = 250_000;
const SECRET = 'hunter2-is-my-password';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    typeDefs: `${TYPES} extend type Query { count(ids: [ID!], filter: Filter): Int }`,
    resolvers: { Query: { count: () => 1 } },
  });
});
afterAll(() => server.close());

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');
const unknownFields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]));

describe('the errors of variables', () => {
  it.each<[string, string, unknown]>([
    ['nulls in a list', '[ID!]', Array.from({ length: 15_000 }, () => null)],
    ['lists in a list', '[ID!]', Array.from({ length: 25_000 }, () => [])],
    ['unknown fields', 'Filter', unknownFields(7_000)],
    ['objects in a list', 'Filter', { all: Array.from({ length: 15_000 }, () => 1) }],
  ])('an error about a variable names at most ten paths: %s', async (_, type, value) => {
    const argument = type === 'Filter' ? 'filter' : 'ids';
    const { body } = await server.send(`query ($v: ${type}) { count(${argument}: $v) }`, {
      variables: { v: value },
    });
    expect(body.errors).toHaveLength(1);
    expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(body.errors[0].message.length).toBeLessThan(500);
  });

  it('an error about a variable omits a deeply nested path', async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { all: [deep(levels - 1)] });
    const { body } = await server.send('query ($v: Filter) { count(filter: $v) }', {
      variables: { v: deep(1_000) },
    });
    expect(body.errors[0].message).toBe('Variable "$v" must be of type Filter.');
  });

  it('checking a variable reads its value a few times, whatever its errors', () => {
    let reads = 0;
    const value = new Proxy(unknownFields(3_000), {
      ownKeys(target) {
        reads += 1;
        return Reflect.ownKeys(target);
      },
    });
    const schema = buildSchema(`${TYPES} type Query { count(filter: Filter): Int }`);
    const document = parse('query ($v: Filter) { count(filter: $v) }');
    expect(validate(schema, document)).toEqual([]);
    expect(findVariableErrors({ schema, document, variableValues: { v: value } })).toHaveLength(1);
    expect(reads).toBeLessThan(50);
  });
});

describe('the errors of a document', () => {
  it.each([
    ['unknown fields of an object', `{ count(filter: { ${repeat(3_000, (i) => `k${i}: 1`)} }) }`],
    [
      'a long value beside unknown fields',
      `{ count(filter: { name: "${'x'.repeat(80_000)}" ${repeat(100, (i) => `k${i}: 1`)} }) }`,
    ],
    ['a default value', `query ($v: Filter = { ${repeat(3_000, (i) => `k${i}: 1`)} }) { count(filter: $v) }`],
    [
      'nested objects, each with an unknown field',
      `{ count(filter: ${'{ k: 1 all: '.repeat(90)}{ tags: [${repeat(5_000, () => '1')}] }${' }'.repeat(90)}) }`,
    ],
    [
      'a long operation name',
      `query ${'q'.repeat(60_000)} { ${repeat(100, (i) => `a${i}: count(ids: [$v${i}])`)} }`,
    ],
    ['a list where a string is expected', `{ count(filter: { name: [${repeat(9_000, () => '1')}] }) }`],
  ])('errors of a document fit in a response of usual length: %s', async (_, query) => {
    const { body } = await server.send(query);
    expect(body.errors.length).toBeGreaterThan(0);
    expect(body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(JSON.stringify(body).length).toBeLessThan(MAX_RESPONSE_LENGTH);
  });

  it.each([
    ['a list', `mutation { login(email: "a@example.com", password: ["${SECRET}", 1]) { tokenType } }`],
    ['an object', `mutation { login(email: { a: "${SECRET}" }, password: "b") { tokenType } }`],
    ['a number', 'mutation { login(email: "a@example.com", password: 31415926) { tokenType } }'],
    ['an unknown field', `{ count(filter: { password: "${SECRET}" }) }`],
    ['an ID', `{ count(ids: [{ a: "${SECRET}" }]) }`],
    ['a list for an object', `{ count(filter: ["${SECRET}"]) }`],
    ['a string for a boolean', `{ viewer { id @skip(if: "${SECRET}") } }`],
  ])('errors of a document repeat no value: %s', async (_, query) => {
    const { body } = await server.send(query);
    expect(body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(JSON.stringify(body)).not.toMatch(/hunter2|31415926/);
  });
});
