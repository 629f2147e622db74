// Starts several instances of the server, each in its own process, on one PostgreSQL database.
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

/** Long enough for the slowest machine. */
const WAIT_OPTIONS = { timeout: 60_000, interval: 20 };
/** For `vi.setConfig` in a file whose tests and hooks start processes. */
export const LONG_TIMEOUTS = { testTimeout: 600_000, hookTimeout: 300_000 };
/** So that a slow machine does not look like an outage. A test restores the default of a variable with `''`. */
const GENEROUS_TIMEOUTS = { BANDHA_STATEMENT_TIMEOUT_SECONDS: '60', BANDHA_CONNECT_TIMEOUT_SECONDS: '60' };

export interface ClusterResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** `OK`, or the reason of the first error, or its code if it has no reason. */
  outcome: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read fields of any response
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
  /** Sends one operation on a kept-alive connection, with little overhead: tests measure response times with it. */
  execute(query: string, options?: RequestOptions): Promise<ClusterResponse>;
  get(path: string): Promise<ClusterResponse>;
  /** @returns the outcome of a protected query */
  querySecureData(accessToken: string): Promise<string>;
  register(): Promise<Account & Tokens>;
  logIn(account: Account): Promise<Tokens>;
  refresh(refreshToken: string): Promise<ClusterResponse & { tokens: Tokens | undefined }>;
  logOut(tokens: Tokens): Promise<ClusterResponse>;
}

/** One response of a prober. */
export interface Sample {
  /** Milliseconds of `performance.now()`. */
  receivedAt: number;
  milliseconds: number;
  outcome: string;
}

export interface Prober {
  /** @returns the responses so far */
  stop(): Promise<Sample[]>;
}

export interface Cluster {
  postgres: Postgres;
  databaseUrl: string;
  instances: readonly Instance[];
  /** @param index any number; instances are used round-robin */
  instanceAt(index: number): Instance;
  /** Creates `count` sessions of one account, spread over all instances. */
  logInOnEach(account: Account, count: number): Promise<Tokens[]>;
  /** Sends a request repeatedly, with a short pause, until stopped or closed. An error counts as an outcome. */
  probe(send: () => Promise<string>): Prober;
  /** Starts one more instance. @param env additional variables */
  start(env?: Record<string, string>): Promise<Instance>;
  close(): Promise<void>;
}

/** Starts a PostgreSQL server and `count` instances on it. If anything fails, everything is stopped. */
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
  const probers: Prober[] = [];
  async function close(): Promise<void> {
    await Promise.all(started.map((instance) => instance.stop('SIGKILL')));
    await Promise.all(probers.map((prober) => prober.stop()));
    await postgres.remove();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const databaseUrl = await postgres.createDatabase();
    const start = async (variables: Record<string, string> = {}) => {
      const allVariables = {
        DATABASE_URL: databaseUrl,
        NODE_COMPILE_CACHE: join(folder, 'compiled'), // makes later starts faster
        ...GENEROUS_TIMEOUTS,
        ...env,
        ...variables,
      };
      const instance = toInstance(await startServerProcess(serverEnv(folder, allVariables), folder));
      started.push(instance);
      return instance;
    };
    // Waits for all: an instance that is still starting could not be stopped.
    const starts = await Promise.allSettled(Array.from({ length: count }, () => start()));
    const failed = starts.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    const instances = [...started];
    const instanceAt = (index: number) => instances[index % count] as Instance; // there are `count`
    const logInOnEach = async (account: Account, times: number) => {
      const sessions: Tokens[] = [];
      const remaining = Array.from({ length: times }).values();
      // One at a time on each instance: many concurrent password hashes would be RATE_LIMITED.
      const logInOn = async (instance: Instance) => {
        for (const _ of remaining) sessions.push(await instance.logIn(account));
      };
      await Promise.all(instances.map(logInOn));
      return sessions;
    };
    const probe = (send: () => Promise<string>) => {
      const prober = createProber(send);
      probers.push(prober);
      return prober;
    };
    return { postgres, databaseUrl, instances, instanceAt, logInOnEach, probe, start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function toInstance(server: ServerProcess): Instance {
  const agent = new Agent({ keepAlive: true });
  const send = (path: string, method: string, headers: Record<string, string>, body?: string) =>
    new Promise<ClusterResponse>((resolve, reject) => {
      const sent = request(`${server.url}${path}`, { agent, method, headers }, async (response) => {
        try {
          const { statusCode: status = 0, headers } = response;
          const body = JSON.parse(await text(response));
          const { code, reason = code } = body.errors?.[0].extensions ?? { reason: 'OK' };
          resolve({ status, headers, body, outcome: reason });
        } catch (error) {
          reject(error);
        }
      });
      sent.on('error', reject).end(body);
    });
  const execute = (query: string, { variables, token, headers }: RequestOptions = {}) =>
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
  const signIn = async (mutation: 'register' | 'login', { email, password }: Account): Promise<Tokens> => {
    const { body } = await execute(
      `mutation ($email: String!, $password: String!) { ${mutation}(email: $email, password: $password) { accessToken refreshToken } }`,
      { variables: { email, password } },
    );
    if (!body.data?.[mutation]) throw new Error(`${mutation} failed: ${JSON.stringify(body)}`);
    return body.data[mutation];
  };
  return {
    ...server,
    execute,
    get: (path) => send(path, 'GET', {}),
    querySecureData: async (token) => (await execute('{ secureData { message } }', { token })).outcome,
    async register() {
      const account = { email: `${crypto.randomUUID()}@example.com`, password: GOOD_PASSWORD };
      return { ...account, ...(await signIn('register', account)) };
    },
    logIn: (account) => signIn('login', account),
    async refresh(token) {
      const query =
        'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';
      const response = await execute(query, { variables: { token } });
      return { ...response, tokens: response.body.data?.refresh };
    },
    logOut: ({ accessToken: token }) => execute('mutation { logout }', { token }),
  };
}

function createProber(send: () => Promise<string>): Prober {
  const samples: Sample[] = [];
  let isStopped = false;
  const done = (async () => {
    while (!isStopped) {
      const sentAt = performance.now();
      const outcome = await send().catch(String);
      const receivedAt = performance.now();
      samples.push({ receivedAt, milliseconds: receivedAt - sentAt, outcome });
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

/** Calls `read` until the result equals `expected`. */
export async function eventually(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  await vi.waitFor(async () => expect(await read()).toEqual(expected), WAIT_OPTIONS);
}

/** Waits until a protected query with the token has the outcome on each instance. */
export async function expectEverywhere(
  instances: readonly Instance[],
  accessToken: string,
  outcome: string,
): Promise<void> {
  await Promise.all(
    instances.map((instance) => eventually(() => instance.querySecureData(accessToken), outcome)),
  );
}

/** Waits until the instance is ready: database reachable, keys loaded, revocation feed synced. */
export async function expectReady(instance: Instance): Promise<void> {
  await eventually(async () => (await instance.get('/health/ready')).status, 200);
}

/** @returns how often each outcome occurs */
export function countOutcomes(samples: readonly { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of samples) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** @returns the smallest value that `share` of all values do not exceed */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
