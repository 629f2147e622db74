// Several instances of the server, each a process of its own, over one PostgreSQL database that they alone use.

import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { type Postgres, startPostgres } from './postgres.ts';
import { type ServerProcess, serverEnv, startServerProcess } from './server-process.ts';
import { GOOD_PASSWORD, type RequestOptions } from './test-server.ts';

/** Generous: what takes this long is broken, on the slowest of machines too. */
const IN_TIME = { timeout: 60_000, interval: 20 };
/** `vi.setConfig(LONG)` in a file whose tests and hooks start processes. */
export const LONG = { testTimeout: 600_000, hookTimeout: 300_000 };
/** So that no slowness of the machine is taken for an outage; for `''` in its place, the server's own. */
const UNHURRIED = { BANDHA_STATEMENT_TIMEOUT_SECONDS: '60', BANDHA_CONNECT_TIMEOUT_SECONDS: '60' };

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** `OK`, or the reason, else the code, of the first error. */
  outcome: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server answers
  body: any;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface Account {
  email: string;
  password: string;
}

export interface Instance extends ServerProcess {
  /** Sends one operation on a connection that is kept: light, as answers' times are measured with it. */
  ask(query: string, asked?: RequestOptions): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** The outcome of a protected query. */
  secure(accessToken: string): Promise<string>;
  register(): Promise<Account & Tokens>;
  logIn(account: Account): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Answer & { tokens: Tokens | undefined }>;
  logOut(tokens: Tokens): Promise<Answer>;
}

/** One answer of many. */
export interface Sample {
  /** When it was there, by `performance.now()`. */
  at: number;
  milliseconds: number;
  outcome: string;
}

export interface Asker {
  /** @returns what was answered until now */
  stop(): Promise<Sample[]>;
}

export interface Cluster {
  postgres: Postgres;
  databaseUrl: string;
  instances: readonly Instance[];
  /** The one at a place that may be beyond the last: they come around. */
  at(place: number): Instance;
  /** So many sessions of one account, begun on all instances in turn. */
  logInAgain(account: Account, count: number): Promise<Tokens[]>;
  /** Asks again and again, with a short breath, until stopped or closed; what fails is an outcome too. */
  keepAsking(ask: () => Promise<string>): Asker;
  /** One more instance, with variables of its own. */
  start(env?: Record<string, string>): Promise<Instance>;
  close(): Promise<void>;
}

/** Starts a server of PostgreSQL and instances on it; where that fails, none of them is left behind. */
export async function startCluster({
  count = 3,
  env = {},
}: {
  count?: number;
  env?: Record<string, string>;
} = {}): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
  const postgres = await startPostgres();
  const started: Instance[] = [];
  const askers: Asker[] = [];
  async function close(): Promise<void> {
    await Promise.all(started.map((instance) => instance.stop('SIGKILL')));
    await Promise.all(askers.map((asker) => asker.stop()));
    await postgres.remove();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const databaseUrl = await postgres.createDatabase();
    const start = async (own: Record<string, string> = {}) => {
      // Kept from one orderly end to the next start, where a test has any.
      const compiled = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
      const variables = { DATABASE_URL: databaseUrl, ...compiled, ...UNHURRIED, ...env, ...own };
      const instance = toInstance(await startServerProcess(serverEnv(folder, variables), folder));
      started.push(instance);
      return instance;
    };
    // All of them settled: one that is still starting could not be stopped.
    const starts = await Promise.allSettled(Array.from({ length: count }, () => start()));
    const failed = starts.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const instances = [...started];
    const at = (place: number) => instances[place % count] as Instance; // there are as many as were asked for
    const logInAgain = async (account: Account, times: number) => {
      const sessions: Tokens[] = [];
      const turns = Array.from({ length: times }).values();
      // One at a time on each: a rush of password hashes is refused.
      const takeTurns = async (instance: Instance) => {
        for (const _ of turns) sessions.push(await instance.logIn(account));
      };
      await Promise.all(instances.map(takeTurns));
      return sessions;
    };
    const keepAsking = (ask: () => Promise<string>) => {
      const asker = createAsker(ask);
      askers.push(asker);
      return asker;
    };
    return { postgres, databaseUrl, instances, at, logInAgain, keepAsking, start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function toInstance(server: ServerProcess): Instance {
  const agent = new Agent({ keepAlive: true });
  const send = (path: string, method: string, headers: Record<string, string>, body?: string) =>
    new Promise<Answer>((answered, failed) => {
      const sent = request(`${server.url}${path}`, { agent, method, headers }, async (response) => {
        try {
          const { statusCode: status = 0, headers } = response;
          const body = JSON.parse(await text(response));
          const { code, reason = code } = body.errors?.[0].extensions ?? { reason: 'OK' };
          answered({ status, headers, body, outcome: reason });
        } catch (error) {
          failed(error);
        }
      });
      sent.on('error', failed).end(body);
    });
  const ask = (query: string, { variables, token, headers }: RequestOptions = {}) =>
    send(
      '/graphql',
      'POST',
      {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      JSON.stringify({ query, variables }),
    );
  const signIn = async (verb: 'register' | 'login', { email, password }: Account): Promise<Tokens> => {
    const { body } = await ask(
      `mutation ($email: String!, $password: String!) { ${verb}(email: $email, password: $password) { accessToken refreshToken } }`,
      { variables: { email, password } },
    );
    if (!body.data?.[verb]) throw new Error(`${verb} was refused: ${JSON.stringify(body)}`);
    return body.data[verb];
  };
  return {
    ...server,
    ask,
    get: (path) => send(path, 'GET', {}),
    secure: async (token) => (await ask('{ secureData { message } }', { token })).outcome,
    async register() {
      const account = { email: `${crypto.randomUUID()}@example.com`, password: GOOD_PASSWORD };
      return { ...account, ...(await signIn('register', account)) };
    },
    logIn: (account) => signIn('login', account),
    async refresh(token) {
      const query =
        'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';
      const answer = await ask(query, { variables: { token } });
      return { ...answer, tokens: answer.body.data?.refresh };
    },
    logOut: ({ accessToken: token }) => ask('mutation { logout }', { token }),
  };
}

function createAsker(ask: () => Promise<string>): Asker {
  const samples: Sample[] = [];
  let isStopped = false;
  const done = (async () => {
    while (!isStopped) {
      const sentAt = performance.now();
      const outcome = await ask().catch(String);
      const at = performance.now();
      samples.push({ at, milliseconds: at - sentAt, outcome });
      await wait(5);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await done;
      return samples;
    },
  };
}

/** Asks until the answer is as expected, by `toEqual`. */
export async function eventually(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  await vi.waitFor(async () => expect(await read()).toEqual(expected), IN_TIME);
}

/** Waits until each of the instances answers a protected query with the token so. */
export async function expectEverywhere(
  instances: readonly Instance[],
  accessToken: string,
  outcome: string,
): Promise<void> {
  await Promise.all(instances.map((instance) => eventually(() => instance.secure(accessToken), outcome)));
}

/** Waits until the instance is ready: it reaches the database, has keys, and hears of changes. */
export async function expectReady(instance: Instance): Promise<void> {
  await eventually(async () => (await instance.get('/health/ready')).status, 200);
}

/** How often each outcome came. */
export function countOutcomes(samples: readonly { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of samples) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The value that so large a share of the others does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
