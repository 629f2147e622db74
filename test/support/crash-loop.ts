// Kills a server or database repeatedly at random moments under load, and verifies afterwards that no response was lost.
import { expect } from 'vitest';
import { eventually } from './cluster.ts';
import { GOOD_PASSWORD, type RequestOptions, sendOperation } from './test-server.ts';

/** Lifetimes longer than any restart, so that a client whose response was lost can get it afterwards. */
export const CRASH_ENV = { BANDHA_REFRESH_GRACE_SECONDS: '3600', BANDHA_ACCESS_TTL_SECONDS: '3600' };
/** Selects sessions that were revoked without a feed event. There must be none. */
export const UNRECORDED_REVOCATIONS = `select id from sessions where revoked_at is not null and id not in (
  select subject from changes where kind = 'SESSION_REVOKED'
)`;
/** For `vi.setConfig` in a file with many kills. */
export const LONG_TIMEOUTS = { testTimeout: 600_000, hookTimeout: 300_000 };
/** No further kill after this time, so that slow machines kill less often. */
const MAX_MS = 400_000;

/** The process to kill: an instance of the server, or the database. */
export interface Victim {
  /** URLs of the instances; clients use all of them. */
  urls(): readonly string[];
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again, and waits until it serves requests. */
  restart(): Promise<void>;
}

/** State of a session according to the responses. */
interface TrackedSession {
  /** The last one received. */
  accessToken: string;
  /** All that were received, the newest last. */
  refreshTokens: string[];
  /** `unsure`: a request that revokes it was in flight at the kill. */
  state: 'live' | 'ended' | 'unsure';
  /** Whether a refresh was in flight at the kill, which may or may not have been committed. */
  isRefreshLost: boolean;
}

/** A client that sends one request at a time. */
interface Client {
  /** Emails of the accounts whose registration was confirmed. */
  emails: string[];
  sessions: TrackedSession[];
}

const CLIENTS = 6;
const INITIAL_SESSIONS = 18;
const MAX_WRITES = 50;
/** Number of untouched sessions that are verified after each kill. */
const RECHECKED_SESSIONS = 4;

const TOKENS = '{ accessToken refreshToken }';
const LOGIN = `mutation ($email: String!, $password: String!) { login(email: $email, password: $password) ${TOKENS} }`;
const REGISTER = LOGIN.replace('login', 'register');
const REFRESH = `mutation ($token: String!) { refresh(refreshToken: $token) ${TOKENS} }`;
const LOGOUT = 'mutation ($token: String!) { logout(refreshToken: $token) }';
const SECURE = '{ secureData { message } }';

const randomUpTo = (max: number) => 1 + Math.floor(Math.random() * max);
const pick = <T>(list: readonly T[]) => list[randomUpTo(list.length) - 1] as T; // lists are not empty
const isLive = ({ state }: TrackedSession) => state === 'live';
const newest = ({ refreshTokens }: TrackedSession) => refreshTokens.at(-1) ?? '';

/** @returns the number of sessions in each state at the end, so that a test can check that there was something to lose */
export async function runCrashLoop(
  victim: Victim,
  kills: number,
): Promise<Record<TrackedSession['state'], number>> {
  const url = () => pick(victim.urls());
  const clients = Array.from({ length: CLIENTS }, (): Client => ({ emails: [], sessions: [] }));
  for (const client of clients) await register(url(), client);
  for (let made = CLIENTS; made < INITIAL_SESSIONS; made += 1) await logIn(url(), pick(clients));
  const all = () => clients.flatMap(({ sessions }) => sessions);

  const startedAt = performance.now();
  for (let done = 0; done < kills && performance.now() - startedAt < MAX_MS; done += 1) {
    const touched = await writeUntilKilled(victim, clients);
    await victim.restart();
    const others = all().filter((session) => !touched.has(session));
    const rechecked = Array.from({ length: Math.min(RECHECKED_SESSIONS, others.length) }, () => pick(others));
    await Promise.all([...touched, ...new Set(rechecked)].map((session) => verifySession(url, session)));
  }
  await Promise.all(all().map((session) => verifySession(url, session)));
  const counts = { live: 0, ended: 0, unsure: 0 };
  for (const { state } of all()) counts[state] += 1;
  return counts;
}

type Action = (url: string, client: Client, session: TrackedSession) => Promise<void>;

/** Requests that clients send, by frequency. */
const ACTIONS: readonly [share: number, action: Action][] = [
  [0.84, refresh],
  [0.04, logOut],
  [0.03, reuse],
  [0.08, logIn],
  [0.01, register],
];

function pickAction(): Action {
  let rest = Math.random();
  for (const [share, action] of ACTIONS) {
    rest -= share;
    if (rest < 0) return action;
  }
  return refresh;
}

/** Lets clients write, and kills the victim after a random number of responses. @returns the sessions that were used */
async function writeUntilKilled(victim: Victim, clients: readonly Client[]): Promise<Set<TrackedSession>> {
  const touched = new Set<TrackedSession>();
  const urls = victim.urls();
  const killAfter = randomUpTo(MAX_WRITES);
  let responses = 0;
  let killing: Promise<void> | undefined;
  await Promise.all(
    clients.map(async (client) => {
      while (killing === undefined) {
        const live = client.sessions.filter(isLive);
        const session = live.length === 0 ? undefined : pick(live);
        try {
          if (session === undefined) await logIn(pick(urls), client);
          else {
            touched.add(session);
            await pickAction()(pick(urls), client, session);
          }
          responses += 1;
          if (responses === killAfter) killing = victim.kill();
        } catch (error) {
          // After the kill, broken connections and STORE_UNAVAILABLE are expected; any other error is a failure.
          if (killing === undefined || !(error instanceof NoResponseError)) throw error;
        }
      }
    }),
  );
  await killing;
  return touched;
}

/** No response, or one that does not show whether the request took effect. */
class NoResponseError extends Error {}

async function send(url: string, query: string, options: RequestOptions) {
  const response = await sendOperation(url, query, options).catch((error) => {
    throw new NoResponseError('The connection broke', { cause: error });
  });
  const { code, reason = code } = response.body.errors?.[0].extensions ?? { reason: 'OK' };
  if (code === 'SERVICE_UNAVAILABLE') throw new NoResponseError(reason);
  return { outcome: reason as string, data: response.body.data };
}

async function register(url: string, { emails, sessions }: Client): Promise<void> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { outcome, data } = await send(url, REGISTER, { variables: { email, password: GOOD_PASSWORD } });
  expect(outcome).toBe('OK');
  emails.push(email);
  sessions.push(toTrackedSession(data.register));
}

async function logIn(url: string, { emails, sessions }: Client): Promise<void> {
  const variables = { email: pick(emails), password: GOOD_PASSWORD };
  const { outcome, data } = await send(url, LOGIN, { variables });
  expect(outcome).toBe('OK');
  sessions.push(toTrackedSession(data.login));
}

function toTrackedSession({
  accessToken,
  refreshToken,
}: {
  accessToken: string;
  refreshToken: string;
}): TrackedSession {
  return { accessToken, refreshTokens: [refreshToken], state: 'live', isRefreshLost: false };
}

async function refresh(url: string, _: Client, session: TrackedSession): Promise<void> {
  session.isRefreshLost = true;
  const { outcome, data } = await send(url, REFRESH, { variables: { token: newest(session) } });
  expect(outcome).toBe('OK');
  session.isRefreshLost = false;
  session.accessToken = data.refresh.accessToken;
  session.refreshTokens.push(data.refresh.refreshToken);
}

async function logOut(url: string, _: Client, session: TrackedSession): Promise<void> {
  session.state = 'unsure';
  const { data } = await send(url, LOGOUT, { variables: { token: newest(session) } });
  expect(data.logout).toBe(true);
  session.state = 'ended';
}

/** Uses an old refresh token, which must revoke the session. */
async function reuse(url: string, client: Client, session: TrackedSession): Promise<void> {
  const old = session.refreshTokens.at(-3);
  if (old === undefined) return refresh(url, client, session);
  session.state = 'unsure';
  const { outcome } = await send(url, REFRESH, { variables: { token: old } });
  expect(outcome).toBe('REUSED');
  session.state = 'ended';
}

async function verifySession(url: () => string, session: TrackedSession): Promise<void> {
  const { refreshTokens, isRefreshLost, state } = session;
  if (state === 'live' && !isRefreshLost && refreshTokens.length > 1) {
    // A response can be repeated: the previous token still has the same successor.
    const repeated = await send(url(), REFRESH, { variables: { token: refreshTokens.at(-2) } });
    expect(repeated).toMatchObject({ outcome: 'OK', data: { refresh: { refreshToken: newest(session) } } });
  }
  const both = await Promise.all(
    [url(), url()].map((one) => send(one, REFRESH, { variables: { token: newest(session) } })),
  );
  const [first, second] = both.map(({ outcome, data }) => ({ outcome, token: data?.refresh.refreshToken }));
  expect(first).toEqual(second);
  if (state === 'unsure') session.state = first?.outcome === 'OK' ? 'live' : 'ended';
  expect(first?.outcome).toBe(session.state === 'live' ? 'OK' : 'REVOKED');
  session.isRefreshLost = false;
  if (session.state === 'live') {
    refreshTokens.push(first?.token ?? '');
    return;
  }
  // Waits, since an instance may have to reconnect its feed first.
  const use = async () => (await send(url(), SECURE, { token: session.accessToken })).outcome;
  await eventually(use, 'TOKEN_REVOKED');
}
