// Kills something at any moment, again and again, under a load of refreshes, and asks afterwards for all that was said.
import { expect } from 'vitest';
import { eventually } from './cluster.ts';
import { GOOD_PASSWORD, type RequestOptions, sendOperation } from './test-server.ts';

/** No kill and no restart takes so long that a token expires: a client whose answer was lost gets it afterwards. */
export const CRASH_ENV = { BANDHA_REFRESH_GRACE_SECONDS: '3600', BANDHA_ACCESS_TTL_SECONDS: '3600' };
/** Sessions that were revoked without a word to the other instances; there are none. */
export const UNTOLD = `select id from sessions where revoked_at is not null and id not in (
  select subject from changes where kind = 'SESSION_REVOKED'
)`;
/** `vi.setConfig(PATIENT)` in a file with many kills. */
export const PATIENT = { testTimeout: 600_000, hookTimeout: 300_000 };
/** A slow machine kills less often. */
const MAX_MS = 400_000;

/** What is killed: an instance of the server, or the database under it. */
export interface Victim {
  /** Where an instance answers, except between a kill and the return; with several, each client asks all of them. */
  urls(): readonly string[];
  /** Ends it at once, with `kill -9`. */
  kill(): Promise<void>;
  /** Brings it back as it was, and waits until it serves. */
  restart(): Promise<void>;
}

/** A session as far as answers have told of it. */
interface Known {
  /** The last that was answered. */
  accessToken: string;
  /** Those that were answered, the newest last. */
  refreshTokens: string[];
  /** `unsure`: something that ends it was under way when the kill came. */
  state: 'live' | 'ended' | 'unsure';
  /** Whether a refresh was under way when the kill came: nobody knows whether it was done. */
  isCutOff: boolean;
}

/** Somebody who does one thing at a time. */
interface Client {
  /** Of the accounts whose registration was answered. */
  emails: string[];
  sessions: Known[];
}

const CLIENTS = 6;
const SESSIONS_AT_FIRST = 18;
const MAX_WRITES = 50;
/** Of the sessions from earlier rounds, so many are asked for in each. */
const LOOKED_AT_AGAIN = 4;

const TOKENS = '{ accessToken refreshToken }';
const LOGIN = `mutation ($email: String!, $password: String!) { login(email: $email, password: $password) ${TOKENS} }`;
const REGISTER = LOGIN.replace('login', 'register');
const REFRESH = `mutation ($token: String!) { refresh(refreshToken: $token) ${TOKENS} }`;
const LOGOUT = 'mutation ($token: String!) { logout(refreshToken: $token) }';
const SECURE = '{ secureData { message } }';

const atMost = (max: number) => 1 + Math.floor(Math.random() * max);
const pick = <T>(list: readonly T[]) => list[atMost(list.length) - 1] as T; // of lists that are not empty
const isLive = ({ state }: Known) => state === 'live';
const newest = ({ refreshTokens }: Known) => refreshTokens.at(-1) ?? '';

/** @returns how many sessions of each kind there were in the end, so that a test can see that it had something to lose */
export async function crashAgainAndAgain(
  victim: Victim,
  kills: number,
): Promise<Record<Known['state'], number>> {
  const url = () => pick(victim.urls());
  const clients = Array.from({ length: CLIENTS }, (): Client => ({ emails: [], sessions: [] }));
  for (const client of clients) await register(url(), client);
  for (let made = CLIENTS; made < SESSIONS_AT_FIRST; made += 1) await logIn(url(), pick(clients));
  const all = () => clients.flatMap(({ sessions }) => sessions);

  const startedAt = performance.now();
  for (let done = 0; done < kills && performance.now() - startedAt < MAX_MS; done += 1) {
    const touched = await writeUntilKilled(victim, clients);
    await victim.restart();
    const others = all().filter((session) => !touched.has(session));
    const again = Array.from({ length: Math.min(LOOKED_AT_AGAIN, others.length) }, () => pick(others));
    await Promise.all([...touched, ...new Set(again)].map((session) => expectKept(url, session)));
  }
  await Promise.all(all().map((session) => expectKept(url, session)));
  const counts = { live: 0, ended: 0, unsure: 0 };
  for (const { state } of all()) counts[state] += 1;
  return counts;
}

type Action = (url: string, client: Client, session: Known) => Promise<void>;

/** What clients do, by how often. */
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

/** Lets clients write until so many writes have been answered that it is time. @returns the sessions they worked with */
async function writeUntilKilled(victim: Victim, clients: readonly Client[]): Promise<Set<Known>> {
  const touched = new Set<Known>();
  const urls = victim.urls();
  const killAfter = atMost(MAX_WRITES);
  let answered = 0;
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
          answered += 1;
          if (answered === killAfter) killing = victim.kill();
        } catch (error) {
          // Once the kill has come, connections break, and the database is not to be had; nothing else may happen.
          if (killing === undefined || !(error instanceof NotAnswered)) throw error;
        }
      }
    }),
  );
  await killing;
  return touched;
}

/** There was no answer, or one that leaves open what was done. */
class NotAnswered extends Error {}

async function send(url: string, query: string, asked: RequestOptions) {
  const answer = await sendOperation(url, query, asked).catch((error) => {
    throw new NotAnswered('The connection broke', { cause: error });
  });
  const { code, reason = code } = answer.body.errors?.[0].extensions ?? { reason: 'OK' };
  if (code === 'SERVICE_UNAVAILABLE') throw new NotAnswered(reason);
  return { outcome: reason as string, data: answer.body.data };
}

async function register(url: string, { emails, sessions }: Client): Promise<void> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { outcome, data } = await send(url, REGISTER, { variables: { email, password: GOOD_PASSWORD } });
  expect(outcome).toBe('OK');
  emails.push(email);
  sessions.push(toKnown(data.register));
}

async function logIn(url: string, { emails, sessions }: Client): Promise<void> {
  const variables = { email: pick(emails), password: GOOD_PASSWORD };
  const { outcome, data } = await send(url, LOGIN, { variables });
  expect(outcome).toBe('OK');
  sessions.push(toKnown(data.login));
}

function toKnown({ accessToken, refreshToken }: { accessToken: string; refreshToken: string }): Known {
  return { accessToken, refreshTokens: [refreshToken], state: 'live', isCutOff: false };
}

async function refresh(url: string, _: Client, session: Known): Promise<void> {
  session.isCutOff = true;
  const { outcome, data } = await send(url, REFRESH, { variables: { token: newest(session) } });
  expect(outcome).toBe('OK');
  session.isCutOff = false;
  session.accessToken = data.refresh.accessToken;
  session.refreshTokens.push(data.refresh.refreshToken);
}

async function logOut(url: string, _: Client, session: Known): Promise<void> {
  session.state = 'unsure';
  const { data } = await send(url, LOGOUT, { variables: { token: newest(session) } });
  expect(data.logout).toBe(true);
  session.state = 'ended';
}

/** Somebody uses a token that was used long before. */
async function reuse(url: string, client: Client, session: Known): Promise<void> {
  const old = session.refreshTokens.at(-3);
  if (old === undefined) return refresh(url, client, session);
  session.state = 'unsure';
  const { outcome } = await send(url, REFRESH, { variables: { token: old } });
  expect(outcome).toBe('REUSED');
  session.state = 'ended';
}

async function expectKept(url: () => string, session: Known): Promise<void> {
  const { refreshTokens, isCutOff, state } = session;
  if (state === 'live' && !isCutOff && refreshTokens.length > 1) {
    // What was answered once is answered again: the last token but one has the successor that it had.
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
  session.isCutOff = false;
  if (session.state === 'live') {
    refreshTokens.push(first?.token ?? '');
    return;
  }
  // An instance that has to connect again hears of it when it has.
  const use = async () => (await send(url(), SECURE, { token: session.accessToken })).outcome;
  await eventually(use, 'TOKEN_REVOKED');
}
