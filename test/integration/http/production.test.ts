// Checks the defaults of createBandha if NODE_ENV is production.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BandhaOptions, createBandha } from '../../../src/bandha.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { silentLog } from '../../../src/utils/log.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const INTROSPECTION = '{ __schema { queryType { name } } }';

async function look(options: BandhaOptions) {
  const bandha = await createBandha({ databaseUrl: 'sqlite::memory:', log: silentLog, ...options });
  const post = await bandha.yoga.fetch('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: INTROSPECTION }),
  });
  const page = await bandha.yoga.fetch('http://localhost/graphql', { headers: { accept: 'text/html' } });
  const answer = {
    introspection: (await post.json()).data !== undefined,
    graphiql: page.headers.get('content-security-policy') !== null || page.status === 503,
  };
  await bandha.close();
  return answer;
}
const REQUIRED = { name: 'ConfigError', issues: ['secret: is required when NODE_ENV=production'] };

afterEach(() => void vi.unstubAllEnvs());

describe('NODE_ENV=production', () => {
  beforeEach(() => void vi.stubEnv('NODE_ENV', 'production'));

  it('NODE_ENV=production requires a secret', async () => {
    await expect(createBandha({ databaseUrl: 'sqlite::memory:' })).rejects.toMatchObject(REQUIRED);
    await expect(createBandha()).rejects.toMatchObject(REQUIRED);
    await expect(createBandha({ production: undefined } as unknown as BandhaOptions)).rejects.toMatchObject(
      REQUIRED,
    );
  });

  it('NODE_ENV=production disables GraphiQL and introspection', async () => {
    expect(await look({ secret: TEST_SECRET })).toEqual({ introspection: false, graphiql: false });
  });

  it.each<[BandhaOptions, boolean]>([
    [{ graphiql: true }, true],
    [{ production: false }, true],
    [{ production: false, graphiql: false }, false],
    [{ ...loadConfig({ NODE_ENV: 'development' }) }, true],
  ])('the options %j override NODE_ENV', async (options, expected) => {
    const databaseUrl = 'sqlite::memory:';
    expect(await look({ ...options, databaseUrl, secret: TEST_SECRET })).toEqual({
      introspection: expected,
      graphiql: expected,
    });
  });

  it('NODE_ENV=production does not affect a test kit', async () => {
    const kit = createTestKit({
      typeDefs: 'type Query { open: Int }',
      resolvers: { Query: { open: () => 1 } },
    });
    expect((await kit.anonymous.execute(INTROSPECTION)).data).toBeDefined();
  });
});

it.each(['development', 'test', '', 'Production'])('NODE_ENV=%s is not production', async (env) => {
  vi.stubEnv('NODE_ENV', env);
  expect(await look({ secret: TEST_SECRET })).toEqual({ introspection: true, graphiql: true });
});

it('createBandha names the issues of all options in one error', async () => {
  const wrong = {
    maxBodyBytes: 0,
    now: 1,
    defaultAccess: 'open',
    operationLimits: { maxDepth: -1 },
    port: 'x',
  };
  const error = await createBandha(wrong as unknown as BandhaOptions).catch((error: unknown) => error); // wrong on purpose
  expect(error).toMatchObject({
    issues: expect.arrayContaining([
      expect.stringMatching(/^maxBodyBytes: /),
      expect.stringMatching(/^now: /),
      expect.stringMatching(/^defaultAccess: /),
      expect.stringMatching(/maxDepth: /),
      expect.stringMatching(/^port: /),
    ]),
  });
});
