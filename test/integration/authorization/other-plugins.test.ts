// Other plugins may change what is executed, before the guard has judged it and after.
import { Kind, visit } from 'graphql';
import { createSchema, createYoga, type Plugin, useExtendContext } from 'graphql-yoga';
import { expect, it } from 'vitest';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

/** Turns the fragment's field into a protected one, from the second request on; the operation stays the same node. */
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
      setExecuteFn((given) => executeFn({ ...given, document }));
      args.document = document;
    },
  };
}

/** Says that somebody is signed in, after the guard has found nobody. */
function useLateCaller(principal: unknown): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((given) => executeFn({ ...given, contextValue: { ...given.contextValue, principal } }));
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
  const ask = async (query: string) => {
    const response = await yoga.fetch('http://test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return response.text();
  };
  return { ask, secrets: () => secrets };
}

it.each([
  ['before', () => [useRewriting(), useGuard()]],
  ['after', () => [useGuard(), useRewriting()]],
])('a plugin %s the guard that rewrites a fragment opens nothing', async (_, plugins) => {
  const { ask, secrets } = createApp(plugins());
  const query = '{ ...F } fragment F on Query { open }';
  expect(await ask(query)).toContain('"open":"open"');
  for (let i = 0; i < 3; i += 1) expect(await ask(query)).not.toContain('SECRET');
  expect(secrets()).toBe(0);
});

it('a plugin after the guard that takes the caller away leaves nobody in', async () => {
  const principal = { userId: 'ada', roles: new Set(), scopes: new Set(), claims: {} };
  const known = useExtendContext(() => ({ principal })) as Plugin; // their contexts differ in name alone
  const { ask, secrets } = createApp([known, useGuard(), useLateCaller(null)]);
  expect(await ask('{ secret }')).not.toContain('SECRET');
  expect(secrets()).toBe(0);
});

it('a plugin after the guard that copies the variables does not show the whole schema', async () => {
  const cloner: Plugin = {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((given) => executeFn({ ...given, variableValues: { ...given.variableValues } }));
    },
  };
  const { ask } = createApp([useGuard({ introspection: 'permitted' }), cloner]);
  const answer = await ask('{ __schema { queryType { fields { name } } } }');
  expect(answer).toContain('open');
  expect(answer).not.toContain('secret');
});
