// Other plugins may change the arguments of an execution, before and after the guard has decided.
import { Kind, visit } from 'graphql';
import { createSchema, createYoga, type Plugin, useExtendContext } from 'graphql-yoga';
import { expect, it } from 'vitest';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

/** Replaces the fragment's field with a protected one, from the second request on. The operation remains the same node. */
function useRewriting(): Plugin {
  let requests = 0;
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      requests += 1;
      if (requests < 2) return;
      const document = visit(args.document, {
        Field: (node) =>
          node.name.value === 'open' ? { ...node, name: { kind: Kind.NAME, value: 'secret' } } : undefined,
      });
      setExecuteFn((args) => executeFn({ ...args, document }));
      args.document = document;
    },
  };
}

/** Replaces the principal after the guard has decided. */
function useLateCaller(principal: unknown): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => executeFn({ ...args, contextValue: { ...args.contextValue, principal } }));
    },
  };
}

function createApp(plugins: Plugin[]) {
  let secrets = 0;
  const schema = createSchema({
    typeDefs: [directiveTypeDefs, 'type Query { open: String secret: String @auth }'],
    resolvers: {
      Query: {
        open: () => 'open',
        secret: () => {
          secrets += 1;
          return 'SECRET';
        },
      },
    },
  });
  const yoga = createYoga({ schema, plugins, logging: false });
  const send = async (query: string) => {
    const response = await yoga.fetch('http://test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return response.text();
  };
  return { send, secrets: () => secrets };
}

it.each([
  ['before', () => [useRewriting(), useGuard()]],
  ['after', () => [useGuard(), useRewriting()]],
])('a plugin %s the guard cannot open a field by rewriting a fragment', async (_, plugins) => {
  const { send, secrets } = createApp(plugins());
  const query = '{ ...F } fragment F on Query { open }';
  expect(await send(query)).toContain('"open":"open"');
  for (let i = 0; i < 3; i += 1) expect(await send(query)).not.toContain('SECRET');
  expect(secrets()).toBe(0);
});

it('a plugin after the guard that removes the caller closes protected fields', async () => {
  const principal = { userId: 'ada', roles: new Set(), scopes: new Set(), claims: {} };
  const useAda = useExtendContext(() => ({ principal })) as Plugin; // cast: the context types differ only in name
  const { send, secrets } = createApp([useAda, useGuard(), useLateCaller(null)]);
  expect(await send('{ secret }')).not.toContain('SECRET');
  expect(secrets()).toBe(0);
});

it('a plugin after the guard that copies the variables keeps the schema filtered', async () => {
  const useCopiedVariables: Plugin = {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => executeFn({ ...args, variableValues: { ...args.variableValues } }));
    },
  };
  const { send } = createApp([useGuard({ introspection: 'permitted' }), useCopiedVariables]);
  const response = await send('{ __schema { queryType { fields { name } } } }');
  expect(response).toContain('open');
  expect(response).not.toContain('secret');
});
