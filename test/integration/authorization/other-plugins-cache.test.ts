// Executors that cache by document: no caller gets an operation that was compiled for another.
import { useGraphQlJit } from '@envelop/graphql-jit';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, createSender } from '../../support/guarded-app.ts';

const useJit = (options?: Parameters<typeof useGraphQlJit>[1]) => useGraphQlJit({}, options) as Plugin; // cast: the context types differ only in name

const TYPES = `${directiveTypeDefs}
  interface Node { id: ID }
  type Note implements Node { id: ID }
  type Secret implements Node @auth { id: ID }
  type Query { nodes: [Node] open: String secret: String @auth must: [Must!]! broken: [Must!]! }
  interface Thing { id: ID }
  type Must implements Thing { id: ID! hidden: ID! @auth }
`;
const ADA = createPrincipal();

/** Runs each document on the schema of its first execution, like executors that compile once for each document. */
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
  const useChangingCaller: Plugin<{ principal?: Principal | null }> = {
    onContextBuilding: ({ extendContext }) => extendContext({ principal }),
  };
  const yoga = createYoga({
    schema,
    logging: false,
    plugins: [useChangingCaller as Plugin, ...order(useGuard({ log: { warn() {} }, ...options }))],
  });
  const send = createSender(yoga);
  return (caller: Principal | null, query: string) => {
    principal = caller;
    return send(query);
  };
}

const unhandled: unknown[] = [];
const record = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', record);
});
afterEach(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', record);
  expect(unhandled).toEqual([]);
});

describe.each<[string, (guard: Plugin) => Plugin[]]>([
  ['graphql-jit before the guard', (guard) => [useJit(), guard]],
  ['graphql-jit after the guard', (guard) => [guard, useJit()]],
  [
    'graphql-jit with a cache by text before the guard',
    (guard) => [useJit({ cache: new Map() as never }), guard],
  ],
  [
    'graphql-jit with a cache by text after the guard',
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
    const send = createApp(order);
    for (const caller of callers) {
      const { body } = await send(caller, '{ open nodes { id } }');
      const secret = caller === null ? null : { id: 'SECRET' };
      expect(body.data).toEqual({ open: 'open', nodes: [{ id: '1' }, secret] });
      expect(body.errors?.length ?? 0).toBe(caller === null ? 1 : 0);
    }
  });

  it('each caller gets their own permitted schema', async () => {
    const send = createApp(order, { introspection: 'permitted' });
    const query = '{ __schema { types { name } } }';
    for (const caller of [ADA, null, ADA, null]) {
      const { body } = await send(caller, query);
      expect(JSON.stringify(body).includes('"Secret"')).toBe(caller !== null);
    }
  });

  it('each caller gets their own null fields', async () => {
    const send = createApp(order, { onDenied: 'null' });
    for (const caller of [ADA, null, ADA, null]) {
      const { body } = await send(caller, '{ open secret }');
      expect(body.data).toEqual({ open: 'open', secret: caller === null ? null : 'SECRET' });
    }
  });

  it('the guard leaves no rejection unhandled', async () => {
    const send = createApp(order, { onDenied: 'null' });
    // The executor of graphql-js leaves rejections of list items unhandled if a later item throws synchronously.
    const broken = name.includes('graphql-jit') ? 'broken { id hidden }' : '';
    for (let i = 0; i < 3; i += 1) {
      const { body } = await send(null, `{ must { id hidden } secret ${broken} }`);
      expect(JSON.stringify(body)).not.toContain('SECRET');
      expect(body.errors.length).toBeGreaterThan(0);
    }
  });
});
