// Checks the log lines about accounts and denials: they contain ids, but no emails, tokens or passwords.
import { createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import { createLines } from '../../support/jwks-server.ts';
import { GOOD_PASSWORD, register, startTestServer, type TestServer } from '../../support/test-server.ts';

const { lines, log, clear } = createLines();
const secrets: string[] = [GOOD_PASSWORD, 'example.com', 'wrong password', 'eyJ'];
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    log,
    typeDefs: `extend type Query { closed: Int @auth(roles: ["admin"])  nodes: [Node] }
      interface Node { id: ID }
      type Open implements Node { id: ID }
      type Closed implements Node @auth { id: ID }`,
    resolvers: {
      Query: {
        closed: () => 1,
        nodes: () => Array.from({ length: 50 }, () => ({ __typename: 'Closed', id: 1 })),
      },
    },
  });
});
afterAll(() => server.close());
beforeEach(clear);

const logIn = (email: string, password: string) =>
  server.send(
    'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { refreshToken } }',
    {
      variables: { email, password },
    },
  );
function expectNoSecrets(): void {
  const text = JSON.stringify(lines);
  for (const secret of secrets) expect(text).not.toContain(secret);
}
const UUID = expect.stringMatching(/^[\da-f-]{36}$/);

describe('the log about accounts', () => {
  it('logs one line per change of an account or a session', async () => {
    const { accessToken, refreshToken, user } = await register(server.url);
    secrets.push(refreshToken);
    const again = (await logIn(user.email, GOOD_PASSWORD)).body.data.login.refreshToken;
    const { body } = await server.send('{ sessions { id current } }', { token: accessToken });
    const other = body.data.sessions.find((session: { current: boolean }) => !session.current).id;
    await server.send('mutation ($id: ID!) { revokeSession(id: $id) }', {
      token: accessToken,
      variables: { id: other },
    });
    await server.send('mutation ($t: String) { logout(refreshToken: $t) }', {
      variables: { t: refreshToken },
    });
    secrets.push(again);
    const userId = user.id;
    expect(lines.filter(({ level }) => level === 'info')).toEqual([
      { level: 'info', message: 'account registered', userId, sessionId: UUID },
      { level: 'info', message: 'signed in', userId, sessionId: other },
      { level: 'info', message: 'session revoked by its owner', userId, sessionId: other },
      { level: 'info', message: 'signed out', sessionId: UUID },
    ]);
    clear();
    const next = await logIn(user.email, GOOD_PASSWORD);
    expect(next.status).toBe(200);
    await server.bandha.accounts.revokeAllSessions(userId);
    expect(lines).toContainEqual({
      level: 'info',
      message: 'all sessions revoked by their owner',
      userId,
      count: 1,
    });
    expectNoSecrets();
  });

  it('logs one line per rejected sign-in, registration and refresh', async () => {
    const { user } = await register(server.url);
    clear();
    await logIn(user.email, 'wrong password');
    await logIn('no-such-account@example.com', 'wrong password');
    await server.send('mutation { register(email: "nope", password: "x") { accessToken } }');
    await server.send('mutation { refresh(refreshToken: "wrong password") { accessToken } }');
    expect(lines.filter(({ level }) => level === 'debug')).toEqual([
      { level: 'debug', message: 'sign-in rejected', reason: 'INVALID_CREDENTIALS' },
      { level: 'debug', message: 'sign-in rejected', reason: 'INVALID_CREDENTIALS' },
      { level: 'debug', message: 'registration rejected', reason: 'INVALID_EMAIL' },
      { level: 'debug', message: 'refresh rejected', sessionId: undefined, reason: 'UNKNOWN' },
    ]);
    expectNoSecrets();
  });

  it('logs a change of roles that another process has made', async () => {
    const { user } = await register(server.url);
    await changeRoles({ store: server.bandha.store, now: () => new Date() }, user.email, { add: ['editor'] });
    const line = { level: 'info', message: 'roles changed', userId: user.id, roles: ['editor'] };
    await vi.waitFor(() => expect(lines).toContainEqual(line), { timeout: 30_000 });
  });
});

describe('the log about denied fields', () => {
  const denials = () => lines.filter(({ message }) => message === 'access denied');

  it('logs the caller, the field and the reason of a denial on the fast path', async () => {
    const { accessToken, user } = await register(server.url);
    clear();
    await server.send('{ closed }', { token: accessToken });
    await server.send('{ closed }');
    const denied = (reason: string) => [{ coordinate: 'Query.closed', reason }];
    const line = { level: 'debug', message: 'access denied', count: 1 };
    expect(denials()).toEqual([
      { ...line, userId: user.id, sessionId: UUID, denied: denied('MISSING_ROLE') },
      { ...line, denied: denied('MISSING_TOKEN') },
    ]);
  });

  it.each<[string, (query: string) => Promise<unknown>]>([
    ['the fast path', (query) => server.send(query)],
    [
      'the Yoga handler',
      (query) =>
        fetch(`${server.url}/graphql?${new URLSearchParams({ query })}`, {
          headers: { accept: 'application/json' },
        }),
    ],
    [
      'a Yoga server of the application',
      async (query) => {
        const yoga = createYoga({
          schema: server.bandha.schema,
          plugins: server.bandha.plugins,
          logging: false,
        });
        return yoga.fetch(`http://yoga/graphql?${new URLSearchParams({ query })}`);
      },
    ],
  ])('logs one line per response with denied fields on %s', async (_, send) => {
    await send('{ closed }');
    await send('{ nodes { id } }');
    expect(denials()).toEqual([
      expect.objectContaining({
        denied: [{ coordinate: 'Query.closed', reason: 'MISSING_TOKEN' }],
        count: 1,
      }),
      expect.objectContaining({ denied: expect.any(Array), count: 50 }),
    ]);
    expect(denials()[1]?.denied).toHaveLength(10);
  });

  it('logs nothing for a response without denied fields', async () => {
    await server.send('{ viewer { id } }');
    await server.send('{ nothing }');
    expect(denials()).toEqual([]);
  });
});
