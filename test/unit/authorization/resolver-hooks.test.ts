// Hooks of other plugins around resolvers run once for every caller, before and after the guard in the list of plugins.
import { useOnResolve } from '@envelop/on-resolve';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema } from 'graphql';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createBandha } from '../../../src/index.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  interface Node { id: ID }
  type Note implements Node { id: ID }
  type Secret implements Node @auth { id: ID }
  type Query { open: String secret: String @auth nodes: [Node] }
`;
const createApp = () =>
  createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: {
        open: () => 'open',
        secret: () => 'secret',
        nodes: () => [
          { __typename: 'Note', id: '1' },
          { __typename: 'Secret', id: '2' },
        ],
      },
    },
  });

type Hook = (fieldName: string) => void;

/** Replaces the schema with a copy whose resolvers call the hook, as tracing plugins do. */
function useReplacedSchema(hook: Hook): Plugin {
  const created = new WeakSet<GraphQLSchema>();
  return {
    onSchemaChange({ schema, replaceSchema }) {
      if (created.has(schema)) return;
      const replaced = mapSchema(schema, {
        [MapperKind.OBJECT_FIELD]: ({ resolve = defaultFieldResolver, ...config }, fieldName) => ({
          ...config,
          resolve: (...args) => {
            hook(fieldName);
            return resolve(...args);
          },
        }),
      });
      created.add(replaced);
      replaceSchema(replaced);
    },
  };
}

/** Replaces the resolvers in the schema itself, without a symbol on its fields. */
function useChangedInPlace(hook: Hook): Plugin {
  const seen = new WeakSet<GraphQLSchema>();
  return {
    onSchemaChange({ schema }) {
      if (seen.has(schema)) return;
      seen.add(schema);
      for (const field of Object.values<GraphQLField<unknown, unknown>>(
        schema.getQueryType()?.getFields() ?? {},
      )) {
        const { resolve = defaultFieldResolver } = field;
        field.resolve = (...args) => {
          hook(field.name);
          return resolve(...args);
        };
      }
    },
  };
}

const PLUGINS: [string, (hook: Hook) => Plugin][] = [
  ['useOnResolve', (hook) => useOnResolve(({ info }) => hook(info.fieldName)) as Plugin],
  ['a plugin that replaces the schema', useReplacedSchema],
  ['a plugin that changes the schema in place', useChangedInPlace],
  [
    'a plugin that adds another',
    (hook) => ({
      onPluginInit: ({ addPlugin }) => addPlugin(useOnResolve(({ info }) => hook(info.fieldName)) as Plugin),
    }),
  ],
];

function start(
  principal: Principal | null,
  order: (guard: Plugin) => Plugin[],
  options: GuardOptions = {},
  schema = createApp(),
) {
  const guard = useGuard({ log: { warn() {} }, ...options });
  return createSender(
    createYoga({ schema, logging: false, plugins: [useCaller(principal), ...order(guard)] }),
  );
}

describe.each(PLUGINS)('the hooks of %s', (name, make) => {
  it.each<[string, boolean]>([
    ['after the guard', true],
    ['before the guard', false],
  ])('resolver hooks run for every caller, %s', async (_, isAfter) => {
    const seen: string[] = [];
    const plugin = make((fieldName) => seen.push(fieldName));
    const order = (guard: Plugin) => (isAfter ? [guard, plugin] : [plugin, guard]);
    const isOnce = isAfter || name.includes('useOnResolve');
    for (const principal of [createPrincipal(), null]) {
      for (const onDenied of ['reject', 'null'] as const) {
        const send = start(principal, order, { onDenied });
        for (let i = 0; i < 2; i += 1) {
          seen.length = 0;
          expect((await send('{ open }')).body).toEqual({ data: { open: 'open' } });
          expect(seen.length).toBeGreaterThanOrEqual(1);
          if (isOnce) expect(seen).toEqual(['open']);
        }
        seen.length = 0;
        const { body } = await send('{ open nodes { id } }');
        expect(body.data.nodes[1]).toEqual(principal === null ? null : { id: '2' });
        expect(seen).toContain('nodes');
        expect(seen).toContain('open');
      }
    }
  });

  it('resolver hooks do not run for a denied field', async () => {
    const seen: string[] = [];
    const plugin = make((fieldName) => seen.push(fieldName));
    const send = start(null, (guard) => [guard, plugin], { onDenied: 'null' });
    expect((await send('{ secret }')).body.data).toEqual({ secret: null });
    expect(seen).toEqual([]);
  });

  it('a resolver hook can fail a field', async () => {
    const plugin = make((fieldName) => {
      if (fieldName === 'open') throw new Error('not now');
    });
    for (const principal of [createPrincipal(), null]) {
      const send = start(principal, (guard) => [guard, plugin]);
      const { body } = await send('{ open }');
      expect(body.data).toEqual({ open: null });
      expect(body.errors).toHaveLength(1);
    }
  });
});

it('hooks of one server do not run in another with the same schema object', async () => {
  const schema = createApp();
  const seen: string[] = [];
  const hooked = (label: string) => (guard: Plugin) => [
    guard,
    useOnResolve(({ info }) => void seen.push(`${label} ${info.fieldName}`)) as Plugin,
  ];
  const first = start(null, hooked('first'), {}, schema);
  const second = start(null, hooked('second'), {}, schema);
  const third = start(null, (guard) => [guard], {}, schema);
  await first('{ open }');
  await second('{ open }');
  await third('{ open }');
  expect(seen).toEqual(['first open', 'second open']);
});

it('hooks run before and after the plugins of createBandha', async () => {
  const bandha = await createBandha({
    databaseUrl: 'sqlite::memory:',
    secret: 'a secret that only these tests use',
    typeDefs: 'extend type Query { open: String @public }',
    resolvers: { Query: { open: () => 'open' } },
  });
  const { schema, plugins } = bandha;
  expect((await createSender(bandha.yoga)('{ open }')).body).toEqual({ data: { open: 'open' } });
  const seen: string[] = [];
  const hook = (label: string) =>
    useOnResolve(({ info }) => void seen.push(`${label} ${info.fieldName}`)) as Plugin;
  const yoga = createYoga({ schema, logging: false, plugins: [hook('before'), ...plugins, hook('after')] });
  const send = createSender(yoga);
  for (const query of ['{ open }', '{ open viewer { id } }']) {
    seen.length = 0;
    expect((await send(query)).body.data.open).toBe('open');
    expect(seen.filter((one) => one.endsWith('open')).toSorted()).toEqual(['after open', 'before open']);
  }
  expect((await send('{ sessions { id } }')).status).toBe(401);
  await bandha.close();
});
