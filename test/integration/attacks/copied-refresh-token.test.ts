// An attacker presents a copy of a refresh token within the grace period; an honest client loses responses.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GOOD_PASSWORD,
  register,
  type SignedIn,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';

let server: TestServer;
let signedIn: SignedIn;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  lines = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  server = await startTestServer({ log });
  signedIn = await register(server.url);
});
afterEach(() => server.close());

const advance = (seconds: number) => {
  server.clock.now = new Date(server.clock.now.getTime() + seconds * 1000);
};

type Refreshed = Pick<SignedIn, 'accessToken' | 'refreshToken'> & { outcome: string };
async function refresh(token: string): Promise<Refreshed> {
  const { body } = await server.send(REFRESH, { variables: { token } });
  return { ...body.data?.refresh, outcome: body.errors?.[0].extensions.reason ?? 'OK' };
}
const use = async (token: string) =>
  (await server.send('{ secureData { message } }', { token })).body.errors?.[0].extensions.reason ?? 'OK';

async function readCounter(outcome: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = new RegExp(`^bandha_repeated_refreshes_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
    text,
  );
  return Number(line?.[1] ?? 0);
}
const warnings = () => lines.map(({ msg, outcome }) => [msg, outcome]);

describe('a stolen refresh token', () => {
  it.each([3.001, 5, 9.9])('revokes the session %f s after its successor was used', async (seconds) => {
    const owner = await refresh(signedIn.refreshToken);
    expect(await use(owner.accessToken)).toBe('OK');
    advance(seconds);
    expect((await refresh(signedIn.refreshToken)).outcome).toBe('REUSED');
    expect((await refresh(owner.refreshToken)).outcome).toBe('REVOKED');
    expect(await use(owner.accessToken)).toBe('TOKEN_REVOKED');
  });

  it('leads to revocation even if it is presented after each refresh of its owner', async () => {
    let copy = signedIn.refreshToken;
    let owner: Refreshed = { ...signedIn, outcome: 'OK' };
    const outcomes: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      advance(300);
      owner = await refresh(owner.refreshToken);
      await use(owner.accessToken ?? '');
      advance(4);
      const stolen = await refresh(copy);
      copy = stolen.refreshToken;
      outcomes.push(stolen.outcome);
    }
    expect(outcomes[0]).toBe('REUSED');
  });

  it('revokes the session immediately if its successor was refreshed', async () => {
    const first = await refresh(signedIn.refreshToken);
    await refresh(first.refreshToken);
    expect((await refresh(signedIn.refreshToken)).outcome).toBe('REUSED');
  });

  it('appears in metrics and log with the session, without a token', async () => {
    const owner = await refresh(signedIn.refreshToken);
    await refresh(signedIn.refreshToken);
    await refresh(signedIn.refreshToken);
    expect(await readCounter('REPEATED')).toBe(2);
    await use(owner.accessToken);
    advance(4);
    await refresh(signedIn.refreshToken);
    expect(await readCounter('REUSED')).toBe(1);
    const message = 'refresh token presented again';
    expect(warnings()).toEqual([
      [message, 'REPEATED'],
      [message, 'REPEATED'],
      [message, 'REUSED'],
    ]);
    const [sessionId] = signedIn.refreshToken.split('.');
    expect(lines.map((line) => line.sessionId)).toEqual([sessionId, sessionId, sessionId]);
    for (const token of [signedIn.refreshToken, owner.refreshToken, owner.accessToken]) {
      expect(JSON.stringify(lines)).not.toContain(token);
    }
  });
});

describe('an honest client', () => {
  it('stays signed in if it loses responses and repeats the request', async () => {
    let token = signedIn.refreshToken;
    for (let round = 0; round < 5; round += 1) {
      await refresh(token); // lost
      advance(4);
      await refresh(token); // lost too
      advance(5);
      const arrived = await refresh(token);
      expect(arrived.outcome).toBe('OK');
      expect(await use(arrived.accessToken)).toBe('OK');
      token = arrived.refreshToken;
      advance(300);
    }
  });

  it('stays signed in if several tabs refresh and use tokens concurrently', async () => {
    let token = signedIn.refreshToken;
    for (let round = 0; round < 5; round += 1) {
      const tabs = await Promise.all(
        [0, 1, 2].map(async () => {
          const tab = await refresh(token);
          return [tab.outcome, tab.refreshToken, await use(tab.accessToken)];
        }),
      );
      const [, successor] = tabs[0] ?? [];
      expect(tabs).toEqual(tabs.map(() => ['OK', successor, 'OK']));
      token = successor ?? '';
      advance(2);
      expect((await refresh(token)).outcome).toBe('OK');
      token = (await refresh(token)).refreshToken;
      advance(300);
    }
  });

  it('stays signed in if it uses the previous access token in the meantime', async () => {
    await use(signedIn.accessToken);
    await refresh(signedIn.refreshToken); // lost
    await use(signedIn.accessToken);
    advance(8);
    expect((await refresh(signedIn.refreshToken)).outcome).toBe('OK');
  });

  it('stays signed in if it refreshes twice within one second', async () => {
    const second = await refresh(signedIn.refreshToken);
    await use(second.accessToken);
    await refresh(second.refreshToken); // lost, in the same second
    advance(8);
    expect((await refresh(second.refreshToken)).outcome).toBe('OK');
  });
});

describe('the sign-ins of one account', () => {
  it('leave at most 100 sessions; the token of an evicted session is rejected', async () => {
    const { accounts, store } = server.bandha;
    const client = { userAgent: undefined, ipAddress: undefined };
    const { user } = signedIn;
    const again = { email: user.email, password: GOOD_PASSWORD };
    for (let count = 0; count < 99; count += 1) {
      await store.createSession({
        ...(await sessionOf(user.id)),
        id: crypto.randomUUID(),
        lastUsedAt: new Date(server.clock.now.getTime() + 1_000),
      });
    }
    expect(await use(signedIn.accessToken)).toBe('OK');
    const newest = await accounts.logIn(again, client);
    expect(await accounts.listSessions(user.id)).toHaveLength(100);
    expect(await use(signedIn.accessToken)).toBe('TOKEN_REVOKED');
    expect((await refresh(signedIn.refreshToken)).outcome).toBe('REVOKED');
    expect(await use(newest.accessToken)).toBe('OK');
  });

  async function sessionOf(userId: string) {
    const [session] = await server.bandha.store.listLiveSessions(userId, server.clock.now, 3_600);
    if (session === undefined) throw new Error('The account has no session');
    return session;
  }
});
