// Checks that every error in an application's resolvers, masks and plugins gets a response.
import { GraphQLError, GraphQLScalarType } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createListener } from '../../../src/bandha.ts';
import { createOwnYoga, createTestBandha, listen } from '../../support/own-yoga.ts';
import { parseResponse, type RawResponse, request, sendBytes } from '../../support/raw-request.ts';

const circular: Record<string, unknown> = {};
circular.self = circular;
const thrown: Record<string, () => unknown> = {
  error: () => new Error('secret detail'),
  nothing: () => null,
  absent: () => undefined,
  text: () => 'secret detail',
  number: () => 1,
  symbol: () => Symbol('secret detail'),
  frozen: () => Object.freeze(new Error('secret detail')),
  frozenObject: () => Object.freeze({ message: 'secret detail' }),
  bare: () => Object.create(null),
  aggregate: () => new AggregateError([null, 'secret detail', new Error('secret detail')]),
  circularExtensions: () => new GraphQLError('circular', { extensions: circular }),
  bigExtensions: () => new GraphQLError('big', { extensions: { value: 1n } }),
  throwingMessage: () =>
    Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('secret detail');
      },
    }),
  hostileProxy: () =>
    new Proxy(new Error(), {
      get() {
        throw new Error('secret detail');
      },
    }),
};
const returned: Record<string, () => unknown> = {
  returnsSymbol: () => Symbol('x'),
  returnsBigInt: () => 10n,
  returnsCircular: () => circular,
  returnsThrowingJson: () => ({
    toJSON() {
      throw new Error('secret detail');
    },
  }),
};
const FIELDS = [...Object.keys(thrown), ...Object.keys(returned)];

let bandha: Bandha;
beforeAll(async () => {
  const resolvers = Object.entries(thrown).map(([name, make]) => [
    name,
    () => {
      throw make();
    },
  ]);
  bandha = await createTestBandha({
    typeDefs: `
      scalar Anything
      extend type Query {
        ${FIELDS.map((name) => `${name}: Anything`).join(' ')}
        symbolAsText: String
      }`,
    resolvers: {
      Anything: new GraphQLScalarType({ name: 'Anything' }),
      Query: { ...Object.fromEntries(resolvers), ...returned, symbolAsText: () => Symbol('x') },
    },
  });
});
afterAll(() => bandha.close());

type YogaOptions = Parameters<typeof createOwnYoga>[1];
// Values that an application in JavaScript may return from `maskError`.
const masks: Record<string, YogaOptions> = {
  'the default mask': {},
  'no mask': { maskedErrors: false },
  'a mask that throws': {
    maskedErrors: {
      maskError() {
        throw new Error('secret detail');
      },
    },
  },
  'a mask that gives null': { maskedErrors: { maskError: () => null as unknown as Error } },
  'a mask that gives undefined': { maskedErrors: { maskError: () => undefined as unknown as Error } },
  'a mask that gives a text': { maskedErrors: { maskError: () => 'masked' as unknown as Error } },
  'a mask that gives a plain Error': { maskedErrors: { maskError: () => new Error('masked') } },
  'a mask that gives the error': { maskedErrors: { maskError: (error) => error as Error } },
};

function expectAnswered({ statusLine, body }: RawResponse, where: string, showsMessages = false): void {
  expect(statusLine, where).toMatch(/^HTTP\/1\.1 (200|500) /);
  expect(() => JSON.parse(body), `${where}: ${body}`).not.toThrow();
  expect(body, where).not.toMatch(/\n\s+at |node_modules|\.ts:\d/);
  if (!showsMessages) expect(body, where).not.toContain('secret detail');
}

describe.each(Object.entries(masks))('%s', (name, options) => {
  it('every error gets the same response on the fast path and from Yoga', async () => {
    const yoga = createOwnYoga(bandha, options);
    const fast = await listen(createListener(yoga, bandha));
    const slow = await listen(
      createListener(createOwnYoga(bandha, { ...options, plugins: [{ onRequest() {} }] }), bandha),
    );
    const showsMessages = name === 'no mask' || name === 'a mask that gives the error';
    for (const field of [...FIELDS, 'symbolAsText']) {
      for (const query of [`{ ${field} }`, `{ ${field} viewer { id } }`]) {
        const bytes = request({ headers: { 'Content-Type': 'application/json' } }, JSON.stringify({ query }));
        const [a, b] = await Promise.all(
          [fast, slow].map(async ({ port }) => parseResponse(await sendBytes(port, [bytes]))),
        );
        if (a === undefined || b === undefined) throw new Error('A response is missing');
        expectAnswered(a, `${query} by the fast path`, showsMessages);
        expectAnswered(b, `${query} by Yoga`, showsMessages);
        expect(a.statusLine, query).toBe(b.statusLine);
        expect(JSON.parse(a.body), query).toEqual(JSON.parse(b.body));
      }
    }
    fast.close();
    slow.close();
  });
});

const fail = () => {
  throw new Error('secret detail');
};
it.each<[string, Plugin]>([
  ['onRequest', { onRequest: fail }],
  ['onRequestParse', { onRequestParse: fail }],
  ['onParams', { onParams: fail }],
  ['onParse', { onParse: fail }],
  ['onValidate', { onValidate: fail }],
  ['onContextBuilding', { onContextBuilding: fail }],
  ['onExecute', { onExecute: fail }],
  ['onResultProcess', { onResultProcess: fail }],
  ['onResponse', { onResponse: fail }],
  ['onResponse, with null', { onResponse: () => Promise.reject(null) }],
])('an error thrown in %s of a plugin gets a response without a stack', async (hook, plugin) => {
  const server = await listen(createListener(createOwnYoga(bandha, { plugins: [plugin] }), bandha));
  const bytes = request(
    { headers: { 'Content-Type': 'application/json' } },
    JSON.stringify({ query: '{ viewer { id } }' }),
  );
  expectAnswered(parseResponse(await sendBytes(server.port, [bytes])), hook);
  server.close();
});

it('an error thrown in a context function gets a response without a stack', async () => {
  const server = await listen(createListener(createOwnYoga(bandha, { context: fail }), bandha));
  const bytes = request(
    { headers: { 'Content-Type': 'application/json' } },
    JSON.stringify({ query: '{ viewer { id } }' }),
  );
  expectAnswered(parseResponse(await sendBytes(server.port, [bytes])), 'context');
  server.close();
});
