// Checks a database outage: operations that need the database fail with Retry-After, and all others continue.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withFolder } from '../../support/server-process.ts';
import {
  GOOD_PASSWORD,
  type GraphQLResponse,
  register,
  type SignedIn,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const SECURE = '{ secureData { message } }';
const GRANTED = { data: { secureData: { message: 'Secure data access granted' } } };
const CREDENTIALS = '($email: String!, $password: String!)';
const LOGIN = `mutation ${CREDENTIALS} { login(email: $email, password: $password) { user { email } } }`;
const REGISTER = `mutation ${CREDENTIALS} { register(email: $email, password: $password) { tokenType } }`;
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { tokenType } }';

function expectUnavailable({ status, headers, body }: GraphQLResponse, reason: string): void {
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('5');
  expect(headers.get('www-authenticate')).toBeNull();
  expect(body.data ?? null).toBeNull();
  expect(body.errors).toHaveLength(1);
  expect(body.errors[0].extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', reason });
}

describe('while another process keeps the database locked', () => {
  // Writes to one database queue for the lock. Each write has its own server here, so that they wait at the same time.
  let servers: TestServer[];
  let lock: DatabaseSync;
  let ada: SignedIn;
  const done = Promise.withResolvers<void>();
  let finished: Promise<void>;
  beforeAll(async () => {
    const ready = Promise.withResolvers<void>();
    finished = withFolder(async (folder) => {
      const file = join(folder, 'bandha.db');
      const start = () => startTestServer({ databaseUrl: `sqlite:${file}` });
      servers = await Promise.all([start(), start(), start(), start()]);
      ada = await register(server(0).url);
      lock = new DatabaseSync(file);
      lock.exec('begin immediate');
      ready.resolve();
      await done.promise;
      await Promise.all(servers.map((one) => one.close()));
    });
    await Promise.race([ready.promise, finished]);
  });
  afterAll(async () => {
    done.resolve();
    await finished;
  });

  function server(index: number): TestServer {
    const found = servers[index];
    if (found === undefined) throw new Error(`There is no server ${index}`);
    return found;
  }
  const variables = () => ({ email: ada.user.email, password: GOOD_PASSWORD });

  it('account operations get SERVICE_UNAVAILABLE, and tokens stay valid', async () => {
    const newcomer = { email: 'newcomer@example.com', password: GOOD_PASSWORD };
    const writes = [
      server(0).send(LOGIN, { variables: variables() }),
      server(1).send(REFRESH, { variables: { token: ada.refreshToken } }),
      server(2).send(REGISTER, { variables: newcomer }),
      server(3).send('mutation { logout }', { token: ada.accessToken }),
    ];
    for (const one of servers) {
      const response = await one.send(SECURE, { token: ada.accessToken });
      expect([response.status, response.body]).toEqual([200, GRANTED]);
    }
    for (const write of writes) expectUnavailable(await write, 'STORE_UNAVAILABLE');
  });

  it('a locked database does not reveal whether a password is wrong', async () => {
    const wrong = { email: ada.user.email, password: 'not this one' };
    const { status, body } = await server(0).send(LOGIN, { variables: wrong });
    expect([status, body.errors[0].extensions]).toEqual([200, { code: 'INVALID_CREDENTIALS' }]);
  });

  it('the same refresh token and password work after the lock is released', async () => {
    lock.exec('rollback');
    lock.close();
    const login = await server(0).send(LOGIN, { variables: variables() });
    expect(login.body).toEqual({ data: { login: { user: { email: ada.user.email } } } });
    const refresh = await server(1).send(REFRESH, { variables: { token: ada.refreshToken } });
    expect(refresh.body).toEqual({ data: { refresh: { tokenType: 'Bearer' } } });
    const secure = await server(3).send(SECURE, { token: ada.accessToken });
    expect(secure.body).toEqual(GRANTED); // the failed sign-out has revoked nothing
  });
});

describe('after the database has failed', () => {
  const MAX_STALE_SECONDS = 30;
  let server: TestServer;
  let ada: SignedIn;
  let endedToken: string;
  beforeEach(async () => {
    server = await startTestServer({ maxStaleSeconds: MAX_STALE_SECONDS });
    ada = await register(server.url);
    endedToken = (await register(server.url)).accessToken;
    await server.send('mutation { logout }', { token: endedToken });
    await server.bandha.store.close();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await server.close();
  });

  /** Moves the server's clock so that its revocation feed is `seconds` old. */
  function pass(seconds: number): void {
    const { now } = performance;
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + seconds * 1000);
  }
  async function readiness() {
    const response = await fetch(`${server.url}/health/ready`);
    return { status: response.status, checks: (await response.json()).checks };
  }

  it('the server accepts cached sessions and reports not ready', async () => {
    expect(await readiness()).toEqual({
      status: 503,
      checks: { store: 'failed', keys: 'ok', revocations: 'ok' },
    });
    pass(MAX_STALE_SECONDS - 5);
    expect(await readiness()).toEqual({
      status: 503,
      checks: { store: 'failed', keys: 'ok', revocations: 'failed' },
    });
    const response = await server.send(SECURE, { token: ada.accessToken });
    expect([response.status, response.body]).toEqual([200, GRANTED]);
  });

  it('protected fields get REVOCATIONS_UNAVAILABLE after maxStaleSeconds', async () => {
    pass(MAX_STALE_SECONDS + 1);
    const response = await server.send(SECURE, { token: ada.accessToken });
    expectUnavailable(response, 'REVOCATIONS_UNAVAILABLE');
    expect(response.body.errors[0].extensions.coordinate).toBe('Query.secureData');
    expect('data' in response.body).toBe(false);
  });

  it('public fields work and bad tokens are rejected during a long outage', async () => {
    pass(24 * 3_600);
    const open = await server.send('{ viewer { email } __typename }', { token: ada.accessToken });
    expect([open.status, open.body]).toEqual([200, { data: { viewer: null, __typename: 'Query' } }]);
    const reasons = ['garbage', `${ada.accessToken}x`, endedToken].map(async (token) => {
      const { status, body } = await server.send(SECURE, { token });
      return [status, body.errors[0].extensions.reason];
    });
    expect(await Promise.all(reasons)).toEqual([
      [401, 'TOKEN_MALFORMED'],
      [401, 'TOKEN_INVALID'],
      [401, 'TOKEN_REVOKED'],
    ]);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${server.url}/.well-known/jwks.json`)).status).toBe(200);
  });
});
