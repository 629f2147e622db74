// Starts a server in this process with a real listener, its own store, and a clock that tests can set.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bandha, type BandhaOptions, createBandha } from '../../src/bandha.ts';
import { silentLog } from '../../src/utils/log.ts';

export const TEST_SECRET = 'a secret that only these tests know of';
export const GOOD_PASSWORD = 'correct horse battery staple';

export interface GraphQLResponse {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the body of any response
  body: any;
}

export interface RequestOptions {
  variables?: Record<string, unknown>;
  token?: string;
  headers?: Record<string, string>;
}

export interface TestServer {
  bandha: Bandha;
  /** Without a trailing slash. */
  url: string;
  clock: { now: Date };
  /** Sends one operation by POST. */
  send(query: string, options?: RequestOptions): Promise<GraphQLResponse>;
  /** Closes every connection and accepts no new one, like a process that stops. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestServer(options: BandhaOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
  const clock = { now: new Date() };
  const bandha = await createBandha({
    secret: TEST_SECRET,
    databaseUrl: `sqlite:${join(folder, 'bandha.db')}`,
    now: () => clock.now,
    log: silentLog,
    ...options,
  });
  const server = createServer(bandha.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    bandha,
    url,
    clock,
    send: (query, options) => sendOperation(url, query, options),
    stop,
    async close() {
      await stop();
      await bandha.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends one operation by POST to the server at `url`. */
export async function sendOperation(
  url: string,
  query: string,
  { variables, token, headers }: RequestOptions = {},
): Promise<GraphQLResponse> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  user: { id: string; email: string };
}

const PAYLOAD = 'accessToken tokenType expiresIn refreshToken user { id email roles }';

/** Registers an account and signs it in. @throws if the server rejects the registration */
export async function register(
  url: string,
  email = `${crypto.randomUUID()}@example.com`,
  password = GOOD_PASSWORD,
): Promise<SignedIn> {
  const { body } = await sendOperation(
    url,
    `mutation ($email: String!, $password: String!) { register(email: $email, password: $password) { ${PAYLOAD} } }`,
    { variables: { email, password } },
  );
  if (!body.data?.register) throw new Error(`register was rejected: ${JSON.stringify(body)}`);
  return body.data.register;
}
