// Executors that cache by document: no caller gets what was compiled for another.
import { useGraphQlJit } from '@envelop/graphql-jit';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, createSender } from '../../support/guarded-app.ts';

const useJit = (options?: Parameters<typeof useGraphQlJit>[1]) => useGraphQlJit({}, options) as Plugin; // their contexts differ in name alone

const TYPES = `${directiveTypeDefs}
  interface Node { id: ID }
  type Note implements Node { id: ID }
  type Secret implements Node @auth { id: ID }
  type Query { nodes: [Node] open: String secret: String @auth must: [Must!]! broken: [Must!]! }
  interface Thing { id: ID }
  type Must implements Thing { id: ID! hidden: ID! @auth }
`;
const ADA = createPrincipal();

/** Compiles once for each document, as graphql-jit does: what was first compiled answers everyone. */
function useDocumentCache(key: 'document' | 'operation'): Plugin {
  const schemas = new WeakMap<object, unknown>();
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => {
        const at: object = key === 'document' ? args.document : args.document.definitions[0];
        if (!schemas.has(at)) schemas.set(at, args.schema);
        return executeFn({ ...args, schema: schemas.get(at) });
      });
    },
  };
}

function createApp(order: (guard: Plugin) => Plugin[], options: GuardOptions = {}) {
  let principal: Principal | null = null;
  const schema = createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: {
        nodes: () => [
          { __typename: 'Note', id: '1' },
          { __typename: 'Secret', id: 'SECRET' },
        ],
        open: () => 'open',
        secret: () => 'SECRET',
        must: () => [
          { id: '1', hidden: 'SECRET' },
          { id: '2', hidden: 'SECRET' },
        ],
        broken: () => [{ id: '1', hidden: 'SECRET' }, null],
      },
    },
  });
  const caller: Plugin<{ principal?: Principal | null }> = {
    onContextBuilding: ({ extendContext }) => extendContext({ principal }),
  };
  const yoga = createYoga({
    schema,
    logging: false,
    plugins: [caller as Plugin, ...order(useGuard({ log: { warn() {} }, ...options }))],
  });
  const ask = createSender(yoga);
  return (who: Principal | null, query: string) => {
    principal = who;
    return ask(query);
  };
}

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe.each<[string, (guard: Plugin) => Plugin[]]>([
  ['graphql-jit before the guard', (guard) => [useJit(), guard]],
  ['graphql-jit after the guard', (guard) => [guard, useJit()]],
  [
    'graphql-jit with a cache of texts before the guard',
    (guard) => [useJit({ cache: new Map() as never }), guard],
  ],
  [
    'graphql-jit with a cache of texts after the guard',
    (guard) => [guard, useJit({ cache: new Map() as never })],
  ],
  ['a cache by document before the guard', (guard) => [useDocumentCache('document'), guard]],
  ['a cache by document after the guard', (guard) => [guard, useDocumentCache('document')]],
  ['a cache by operation before the guard', (guard) => [useDocumentCache('operation'), guard]],
  ['a cache by operation after the guard', (guard) => [guard, useDocumentCache('operation')]],
])('%s', (name, order) => {
  it.each([
    ['the permitted caller first', [ADA, null, ADA, null]],
    ['the anonymous caller first', [null, ADA, null, ADA]],
  ])('each caller gets their own result: %s', async (_, callers) => {
    const ask = createApp(order);
    for (const who of callers) {
      const { body } = await ask(who, '{ open nodes { id } }');
      const secret = who === null ? null : { id: 'SECRET' };
      expect(body.data).toEqual({ open: 'open', nodes: [{ id: '1' }, secret] });
      expect(body.errors?.length ?? 0).toBe(who === null ? 1 : 0);
    }
  });

  it('each caller gets the schema that they may see', async () => {
    const ask = createApp(order, { introspection: 'permitted' });
    const query = '{ __schema { types { name } } }';
    for (const who of [ADA, null, ADA, null]) {
      const { body } = await ask(who, query);
      expect(JSON.stringify(body).includes('"Secret"')).toBe(who !== null);
    }
  });

  it('fields are denied one by one', async () => {
    const ask = createApp(order, { onDenied: 'null' });
    for (const who of [ADA, null, ADA, null]) {
      const { body } = await ask(who, '{ open secret }');
      expect(body.data).toEqual({ open: 'open', secret: who === null ? null : 'SECRET' });
    }
  });

  it('no rejection is left unhandled', async () => {
    const ask = createApp(order, { onDenied: 'null' });
    // Yoga's own executor drops what a list's items reject with if a later one throws at once.
    const broken = name.includes('graphql-jit') ? 'broken { id hidden }' : '';
    for (let i = 0; i < 3; i += 1) {
      const { body } = await ask(null, `{ must { id hidden } secret ${broken} }`);
      expect(JSON.stringify(body)).not.toContain('SECRET');
      expect(body.errors.length).toBeGreaterThan(0);
    }
  });
});
