// What the server has acknowledged survives `kill -9` at any moment.
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { type ServerProcess, serverEnv, startServerProcess, withFolder } from '../support/server-process.ts';
import { ask, GOOD_PASSWORD, register, type SignedIn } from '../support/test-server.ts';

const ROUNDS = 10;
const CLIENTS = 6;
const MAX_WRITES = 80;
/** A sign-in costs an Argon2id hash, so each round tries a few of its accounts. */
const LOGINS_CHECKED = 5;

const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { user { id } } }';
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';
const LOGOUT = 'mutation ($token: String!) { logout(refreshToken: $token) }';
const SECURE = '{ secureData { message } }';

/** A session as far as answers have told of it. */
interface Known {
  tokens: SignedIn;
  /** `unsure`: a logout was under way when the server was killed. */
  state: 'live' | 'ended' | 'unsure';
}

const atMost = (max: number) => 1 + Math.floor(Math.random() * max);
const pick = <T>(list: readonly T[]): T | undefined => list[atMost(list.length) - 1];

/** Lets clients write until `killAfter` writes are acknowledged; the next moment the server is no more. */
async function writeUntilKilled({ url, child }: ServerProcess, killAfter: number): Promise<Known[]> {
  const known: Known[] = [];
  let acknowledged = 0;
  let isKilled = false;
  const acknowledge = () => {
    acknowledged += 1;
    if (acknowledged !== killAfter) return;
    isKilled = child.kill('SIGKILL');
  };
  const act = async (own: Known[]): Promise<void> => {
    const session = pick(own.filter(({ state }) => state === 'live'));
    const action = session && pick(['register', 'refresh', 'refresh', 'logout']);
    if (session === undefined || action === 'register') {
      own.push({ tokens: await register(url), state: 'live' });
    } else {
      const token = session.tokens.refreshToken;
      if (action === 'logout') session.state = 'unsure';
      const { body } = await ask(url, action === 'logout' ? LOGOUT : REFRESH, { variables: { token } });
      expect(body.errors).toBeUndefined();
      if (action === 'logout') session.state = 'ended';
      else Object.assign(session.tokens, body.data.refresh);
    }
    acknowledge();
  };
  const ended = once(child, 'exit');
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const own: Known[] = [];
      try {
        while (!isKilled) await act(own);
      } catch (error) {
        if (!isKilled) throw error; // else the connection broke, as it should
      }
      known.push(...own);
    }),
  );
  await ended;
  return known;
}

/** Asks the new server for everything that the old one said. */
async function expectKept(url: string, known: readonly Known[]): Promise<void> {
  for (const { tokens } of known.toSorted(() => Math.random() - 0.5).slice(0, LOGINS_CHECKED)) {
    const variables = { email: tokens.user.email, password: GOOD_PASSWORD };
    const { body } = await ask(url, LOGIN, { variables });
    expect(body).toEqual({ data: { login: { user: { id: tokens.user.id } } } });
  }
  await Promise.all(
    known.map(async ({ tokens, state }) => {
      const { body } = await ask(url, REFRESH, { variables: { token: tokens.refreshToken } });
      if (state === 'live') {
        expect(body.errors).toBeUndefined();
        Object.assign(tokens, body.data.refresh);
      }
      if (state === 'ended') {
        expect(body.errors[0].extensions).toEqual({ code: 'INVALID_REFRESH_TOKEN', reason: 'REVOKED' });
        const refused = await ask(url, SECURE, { token: tokens.accessToken });
        expect(refused.body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
      }
    }),
  );
}

it('keeps every registration, refresh and logout it has acknowledged when it is killed', () =>
  withFolder(async (folder) => {
    // The grace covers a refresh whose answer was lost, however long the restart takes here.
    const env = serverEnv(folder, { BANDHA_REFRESH_GRACE_SECONDS: '600' });
    const known: Known[] = [];
    let server = await startServerProcess(env, folder);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const latest = await writeUntilKilled(server, atMost(MAX_WRITES));
        expect(server.child.signalCode).toBe('SIGKILL');
        server = await startServerProcess(env, folder);
        await expectKept(server.url, latest);
        known.push(...latest);
      }
      await expectKept(server.url, known); // earlier rounds outlived the later kills too
    } finally {
      await server.stop();
    }
    expect(known.some(({ state }) => state === 'live') && known.some(({ state }) => state === 'ended')).toBe(
      true,
    );
    const database = new DatabaseSync(`${folder}/bandha.db`);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    database.close();
  }));
