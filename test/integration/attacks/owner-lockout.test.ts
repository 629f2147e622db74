// Attackers fail to sign in on purpose: the owner can still sign in, and guessing stays limited, even across restarts.
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createBandha } from '../../../src/bandha.ts';
import { inChunks } from '../../support/in-chunks.ts';
import { withFolder } from '../../support/server-process.ts';
import {
  GOOD_PASSWORD,
  sendOperation,
  startTestServer,
  TEST_SECRET,
  type TestServer,
} from '../../support/test-server.ts';

const PASSWORD = GOOD_PASSWORD;
const HOME = '203.0.113.1';
const ATTACKER = '198.51.100.1';
const ELSEWHERE = '192.0.2.1';
const MINUTE = 60_000;

const OPERATION = (name: 'login' | 'register') =>
  `mutation ($email: String!, $password: String!) { ${name}(email: $email, password: $password) { user { id } } }`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ trustedProxies: ['127.0.0.0/8'], log: pino({ level: 'silent' }) });
});
afterAll(() => server.close());

/** `outcome` is `OK` or the error's code. */
async function send(name: 'login' | 'register', client: string, email: string, password = PASSWORD) {
  const response = await sendOperation(server.url, OPERATION(name), {
    variables: { email, password },
    headers: { 'x-forwarded-for': client },
  });
  const outcome: string = response.body.data ? 'OK' : response.body.errors[0].extensions.code;
  return { ...response, outcome };
}
const logIn = async (client: string, email: string, password?: string) =>
  (await send('login', client, email, password)).outcome;

async function addOwner(client = HOME): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  expect((await send('register', client, email)).outcome).toBe('OK');
  return email;
}

/** @returns the number of guesses whose password was checked */
async function guess(client: string, email: string, times: number): Promise<number> {
  const outcomes = await inChunks(times, () => logIn(client, email, 'a guess'));
  expect(outcomes).not.toContain('OK');
  return outcomes.filter((outcome) => outcome === 'INVALID_CREDENTIALS').length;
}
const network = (i: number) => `198.18.${i >> 8}.${i & 255}`;

describe('a hundred wrong passwords from one network', () => {
  it('let the owner sign in immediately, from known and unknown networks', async () => {
    const email = await addOwner();
    expect(await guess(ATTACKER, email, 100)).toBe(20);
    expect(await logIn(ATTACKER, email)).toBe('RATE_LIMITED');
    expect(await logIn(HOME, email)).toBe('OK');
    expect(await logIn(ELSEWHERE, email)).toBe('OK');
    expect(await logIn(ATTACKER, email)).toBe('RATE_LIMITED');
  });

  it('get the same response with Retry-After whether an account exists or not', async () => {
    const [known, unknown] = [await addOwner(), `${crypto.randomUUID()}@example.com`];
    const responses = [];
    for (const [i, email] of [known, unknown].entries()) {
      const client = `198.51.100.${10 + i}`;
      const all = await inChunks(60, () => send('login', client, email, 'a guess'));
      const { status, headers, body } = await send('login', client, email);
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toBe('60');
      expect(body.errors[0].extensions).toEqual({ code: 'RATE_LIMITED' });
      responses.push([body, all.map(({ outcome }) => outcome).toSorted()]);
    }
    expect(responses[0]).toEqual(responses[1]);
  });
});

describe('wrong passwords from many networks', () => {
  it('share 100 guesses, then one an hour; the owner’s known network is unaffected', async () => {
    const email = await addOwner();
    const guessFromAll = async () => {
      let checked = 0;
      for (let i = 0; i < 60; i += 1) checked += await guess(network(i), email, 5);
      return checked;
    };
    expect(await guessFromAll()).toBe(100);
    expect(await logIn(ELSEWHERE, email)).toBe('RATE_LIMITED');
    expect(await logIn(HOME, email)).toBe('OK');
    server.clock.now = new Date(server.clock.now.getTime() + 60 * MINUTE);
    expect(await guessFromAll()).toBe(1);
    expect(await logIn(HOME, email)).toBe('OK');
  });

  it('count by the /64 of IPv6, and IPv4-mapped addresses as IPv4', async () => {
    const email = await addOwner();
    let checked = 0;
    for (let i = 0; i < 30; i += 1) checked += await guess(`2001:db8:0:1::${i + 1}`, email, 1);
    expect(checked).toBe(20);
    expect(await guess('2001:db8:0:2::1', email, 1)).toBe(1);
    checked = await guess('198.51.100.20', email, 15);
    checked += await guess('::ffff:198.51.100.20', email, 15);
    expect(checked).toBe(20);
  });
});

describe('the owner', () => {
  it('keeps a known network for 90 days after the last sign-in there', async () => {
    const email = await addOwner();
    expect(await logIn(ELSEWHERE, email)).toBe('OK');
    server.clock.now = new Date(server.clock.now.getTime() + 89 * 24 * 60 * MINUTE);
    expect(await logIn(HOME, email)).toBe('OK');
    server.clock.now = new Date(server.clock.now.getTime() + 2 * 24 * 60 * MINUTE);
    for (let i = 0; i < 8; i += 1) await guess(network(1_000 + i), email, 20);
    expect(await logIn(ELSEWHERE, email)).toBe('RATE_LIMITED');
    expect(await logIn(HOME, email)).toBe('OK');
  });

  it('gets 20 attempts from a known network, apart from other networks', async () => {
    const email = await addOwner();
    expect(await guess(HOME, email, 30)).toBe(20);
    expect(await logIn(HOME, email)).toBe('RATE_LIMITED');
    expect(await logIn(ELSEWHERE, email)).toBe('OK');
    server.clock.now = new Date(server.clock.now.getTime() + MINUTE);
    expect(await logIn(HOME, email)).toBe('OK');
  });

  it('resets no limit of an attacker by signing in', async () => {
    const email = await addOwner();
    expect(await guess(ATTACKER, email, 30)).toBe(20);
    expect(await logIn(HOME, email)).toBe('OK');
    expect(await guess(ATTACKER, email, 5)).toBe(0);
  });
});

it('known networks survive a restart, stored as pseudonyms without addresses', () =>
  withFolder(async (folder) => {
    const databaseUrl = `sqlite:${folder}/bandha.db`;
    const open = () => createBandha({ secret: TEST_SECRET, databaseUrl });
    const at = (ipAddress: string) => ({ userAgent: undefined, ipAddress });
    const account = { email: 'ada@example.com', password: PASSWORD };
    const reasonOf = (bandha: Bandha, client: string, password = PASSWORD) =>
      bandha.accounts.logIn({ ...account, password }, at(client)).then(
        () => 'OK',
        (error) => error.reason,
      );
    const first = await open();
    await first.accounts.register(account, at(HOME));
    await first.close();
    const second = await open();
    try {
      for (let i = 0; i < 5; i += 1) {
        await inChunks(20, () => reasonOf(second, network(i), 'a guess'));
      }
      expect(await reasonOf(second, ELSEWHERE)).toBe('RATE_LIMITED');
      expect(await reasonOf(second, HOME)).toBe('OK');
      const database = new DatabaseSync(`${folder}/bandha.db`);
      const stored = database.prepare('select network from known_networks').all();
      database.close();
      expect(stored).toEqual([{ network: expect.stringMatching(/^[\w-]{22}$/) }]);
    } finally {
      await second.close();
    }
  }));
