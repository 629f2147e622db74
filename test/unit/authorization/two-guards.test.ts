// Two guards in one list of plugins must have the same options, or startup fails.
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { ConfigError } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createBandha, useTokenAuth, type Verifier } from '../../../src/index.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const log = { warn() {} };
const owner = () => true;
const now = () => new Date();
const verifier: Verifier = {
  verify: async () => ({ principal: undefined, problem: 'TOKEN_INVALID' }),
  getCached: () => undefined,
  cachedTokens: 0,
};

function createApp() {
  let evaluations = 0;
  const schema = createSchema({
    typeDefs: [
      directiveTypeDefs,
      'type Query { open: String secret: String @auth own: String @auth(policies: [["owner"]]) }',
    ],
    resolvers: { Query: { open: () => 'o', secret: () => 's', own: () => 'mine' } },
  });
  const counting = () => {
    evaluations += 1;
    return true;
  };
  return { schema, counting, evaluations: () => evaluations };
}
const start = (plugins: Plugin[], schema = createApp().schema) =>
  createYoga({ schema, plugins, logging: false });
const BASE: GuardOptions = { policies: { owner }, log };

describe('two guards with different options', () => {
  it.each<[string, GuardOptions, string]>([
    ['defaultAccess', { defaultAccess: 'deny' }, 'defaultAccess'],
    ['onDenied', { onDenied: 'null' }, 'onDenied'],
    ['reportOnly', { reportOnly: true }, 'reportOnly'],
    ['introspection', { introspection: 'permitted' }, 'introspection'],
    ['another function for a policy', { policies: { owner: () => false } }, 'policies'],
    ['an additional policy', { policies: { owner, other: owner } }, 'policies'],
    ['watchSession', { watchSession: () => () => {} }, 'watchSession'],
    ['now', { now }, 'now'],
    ['log', { log: { warn() {} } }, 'log'],
  ])('two guards with different options are a ConfigError: %s', (_, options, name) => {
    const other = { ...BASE, ...options };
    const message = `useGuard: ${name}: must be the same in both guards of a server`;
    for (const [first, second] of [
      [BASE, other],
      [other, BASE],
    ] as const) {
      expect(() => start([useGuard(first), useGuard(second)])).toThrow(ConfigError);
      expect(() => start([useGuard(first), useGuard(second)])).toThrow(message);
      expect(() => start([useTokenAuth({ verifier, ...first }), useGuard(second)])).toThrow(message);
      expect(() => start([useGuard(first), useTokenAuth({ verifier, ...second })])).toThrow(message);
    }
  });

  it('useTokenAuth and a guard with a stricter default are a ConfigError', () => {
    expect(() =>
      start([
        useTokenAuth({ verifier, policies: { owner } }),
        useGuard({ policies: { owner }, defaultAccess: 'deny' }),
      ]),
    ).toThrow('useGuard: defaultAccess: must be the same');
  });

  it('createBandha’s plugins or schema and a different guard are a ConfigError', async () => {
    const bandha = await createBandha({
      databaseUrl: 'sqlite::memory:',
      secret: 'a secret that only these tests use',
      log: { ...console, trace() {}, fatal() {} } as never,
    });
    const { schema, plugins } = bandha;
    expect(() => start([...plugins, useGuard({ defaultAccess: 'deny' })], schema)).toThrow(
      'must be the same',
    );
    expect(() => start([useGuard({ defaultAccess: 'deny' }), ...plugins], schema)).toThrow(
      'must be the same',
    );
    expect(() => start([useGuard({ defaultAccess: 'deny' })], schema)).toThrow('must be the same');
    expect(() => start(plugins, schema)).not.toThrow();
    await bandha.close();
  });

  it('a guard that another plugin adds is compared as well', () => {
    const replacing: Plugin = {
      onPluginInit: ({ addPlugin }) => addPlugin(useGuard({ ...BASE, defaultAccess: 'deny' })),
    };
    expect(() => start([useGuard(BASE), replacing])).toThrow('defaultAccess: must be the same');
  });
});

describe('two guards with the same options', () => {
  it.each<[string, (options: GuardOptions) => Plugin[]]>([
    [
      'one plugin twice',
      (options) => {
        const guard = useGuard(options);
        return [guard, guard];
      },
    ],
    [
      'two plugins',
      (options) => [useGuard(options), useGuard({ ...options, policies: { ...options.policies } })],
    ],
    [
      'explicit defaults',
      (options) => [
        useGuard(options),
        useGuard({
          ...options,
          defaultAccess: 'allow',
          onDenied: 'reject',
          reportOnly: false,
          introspection: 'all',
        }),
      ],
    ],
  ])('two guards with the same options work as one: %s', async (name, guards) => {
    for (const onDenied of ['reject', 'null'] as const) {
      if (onDenied === 'null' && name === 'explicit defaults') continue;
      const { schema, counting, evaluations } = createApp();
      const options: GuardOptions = { log, onDenied, policies: { owner: counting } };
      const plugins = guards(options);
      const ada = createYoga({ schema, logging: false, plugins: [useCaller(createPrincipal()), ...plugins] });
      expect((await createSender(ada)('{ open secret own }')).body).toEqual({
        data: { open: 'o', secret: 's', own: 'mine' },
      });
      expect(evaluations()).toBe(1);
      const anonymous = createYoga({ schema, logging: false, plugins: [useCaller(null), ...plugins] });
      const { status, body } = await createSender(anonymous)('{ open secret }');
      expect(status).toBe(onDenied === 'null' ? 200 : 401);
      expect(body.errors).toHaveLength(1);
      expect(body.data).toEqual(onDenied === 'null' ? { open: 'o', secret: null } : undefined);
    }
  });
});

describe('guards of different servers', () => {
  it('guards of different servers may differ on one schema object', async () => {
    const { schema } = createApp();
    const createServer = (options: GuardOptions) =>
      createSender(start([useCaller(createPrincipal()), useGuard({ log, ...options })], schema));
    const allowing = createServer({ policies: { owner: () => true } });
    const denying = createServer({ policies: { owner: () => false } });
    const closed = createSender(
      start([useCaller(null), useGuard({ log, policies: { owner }, defaultAccess: 'deny' })], schema),
    );
    const open = createSender(start([useCaller(null), useGuard({ log, policies: { owner } })], schema));
    for (let i = 0; i < 2; i += 1) {
      expect((await allowing('{ own }')).status).toBe(200);
      expect((await denying('{ own }')).status).toBe(403);
      expect((await closed('{ open }')).status).toBe(401);
      expect((await open('{ open }')).status).toBe(200);
    }
  });

  it('two test kits may differ on one schema object', async () => {
    const { schema } = createApp();
    const first = createTestKit({ schema }, { policies: { owner: () => true }, log });
    const second = createTestKit(
      { schema },
      { policies: { owner: () => false }, log, defaultAccess: 'deny' },
    );
    for (let i = 0; i < 2; i += 1) {
      expect((await first.as().execute('{ own }')).status).toBe(200);
      expect((await second.as().execute('{ own }')).status).toBe(403);
      expect((await first.anonymous.execute('{ open }')).status).toBe(200);
      expect((await second.anonymous.execute('{ open }')).status).toBe(401);
    }
  });
});
