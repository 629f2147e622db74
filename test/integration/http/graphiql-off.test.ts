// Checks that a server without GraphiQL does not reveal its schema: no page, no introspection, no suggestions in errors.
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

let closed: TestServer;
let open: TestServer;
beforeAll(async () => {
  const typeDefs = `
    enum Colour { RED GREEN }
    input Paint { name: String colour: Colour }
    extend type Query { mix(paint: Paint, colour: Colour): String }
  `;
  const resolvers = { Query: { mix: () => 'mixed' } };
  closed = await startTestServer({ graphiql: false, typeDefs, resolvers });
  open = await startTestServer({ graphiql: true, typeDefs, resolvers });
});
afterAll(async () => {
  await closed.close();
  await open.close();
});

const browse = (server: TestServer, path: string) =>
  fetch(`${server.url}${path}`, { headers: { accept: 'text/html,*/*;q=0.1' }, redirect: 'manual' });

describe('a server without GraphiQL', () => {
  it.each(['/', '/graphql', '/graphql?query={viewer{email}}'])('serves no page at %s', async (path) => {
    const response = await browse(closed, path);
    expect(response.headers.get('content-type') ?? '').not.toContain('html');
    expect(await response.text()).not.toMatch(/<html|graphiql/i);
    expect((await browse(open, path)).status).toBeLessThan(400); // with GraphiQL, the same request succeeds
  });

  it.each([
    ['the schema', 'query A { __schema { queryType { name } } }'],
    ['a type', 'query A { __type(name: "User") { name } }'],
    ['a type under an alias', 'query A { harmless: __type(name: "User") { name } }'],
    ['the schema in a fragment', 'query A { ...B } fragment B on Query { __schema { types { name } } }'],
    [
      'the schema in an operation that is not run',
      'query A { __typename } query B { __schema { description } }',
    ],
  ])('rejects introspection of %s', async (_, query) => {
    const parameters = { operationName: 'A', query };
    const responses = [
      await fetch(`${closed.url}/graphql?${new URLSearchParams(parameters)}`),
      await fetch(`${closed.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(parameters),
      }),
    ];
    for (const response of responses) {
      const { data, errors } = await response.json();
      expect(data).toBeUndefined();
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(error.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
  });

  it('still resolves __typename', async () => {
    expect((await closed.send('{ __typename }')).body).toEqual({ data: { __typename: 'Query' } });
  });

  it.each<[string, string, Record<string, unknown>?]>([
    ['a field', '{ viewr { email } }'],
    ['a field of a type', '{ viewer { emial } }'],
    ['a type', '{ viewer { ... on Usr { email } } }'],
    ['the type of a variable', 'query ($paint: Pant) { mix(paint: $paint) }'],
    ['an argument', 'mutation { logout(refreshTokn: "x") }'],
    ['the argument of a directive', '{ __typename @skip(iff: true) }'],
    ['an enum value', '{ mix(colour: REDD) }'],
    ['an enum value in quotes', '{ mix(colour: "RED") }'],
    ['an input field', '{ mix(paint: { nme: "x" }) }'],
    ['an enum value in the variables', 'query ($c: Colour) { mix(colour: $c) }', { c: 'REDD' }],
    ['an input field in the variables', 'query ($p: Paint) { mix(paint: $p) }', { p: { nme: 'x' } }],
    [
      'an enum value deep in the variables',
      'query ($p: Paint) { mix(paint: $p) }',
      { p: { colour: 'REDD' } },
    ],
  ])('suggests no name for a misspelled name: %s', async (_, query, variables) => {
    for (const server of [closed, open]) {
      const { body } = await server.send(query, { variables });
      expect(body.data).toBeUndefined();
      expect(JSON.stringify(body.errors)).not.toMatch(/did you mean/i);
    }
    // graphql-js has a suggestion for this spelling, otherwise this would test nothing.
    const errors = validate(open.bandha.schema, parse(query));
    if (variables === undefined) expect(errors.map(({ message }) => message).join()).toMatch(/did you mean/i);
  });
});
