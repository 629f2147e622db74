// Password guesses in one request, and on many accounts from one network: each resolved field counts.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inChunks } from '../../support/in-chunks.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ trustedProxies: ['127.0.0.0/8'] });
});
afterAll(() => server.close());

let clients = 0;
const newClient = () => {
  clients += 1;
  return { 'x-forwarded-for': `198.51.100.${clients}` };
};
const codesOf = (errors: { extensions: { code: string } }[]) =>
  errors.map(({ extensions }) => extensions.code);
const count = (codes: string[], code: string) => codes.filter((one) => one === code).length;
const field = (alias: string, email: string, password = 'a guess') =>
  `${alias}: login(email: "${email}", password: "${password}") { tokenType }`;

describe('attempts in one operation', () => {
  const fields = (times: number) =>
    Array.from({ length: times }, (_, i) => {
      const email = `${crypto.randomUUID()}@example.com`;
      return `a${i}: register(email: "${email}", password: "${GOOD_PASSWORD}") { tokenType }`;
    }).join(' ');

  it.each([
    ['aliases', () => `mutation { ${fields(9)} }`],
    ['fragments', () => `mutation { ...F } fragment F on Mutation { ${fields(9)} }`],
    ['inline fragments', () => `mutation { ... on Mutation { ... { ${fields(9)} } } }`],
  ])('count individually: %s', async (_, toQuery) => {
    const limits = { 'register.network': { burst: 3, intervalSeconds: 60 } };
    const limited = await startTestServer({ trustedProxies: ['127.0.0.0/8'], limits });
    try {
      const headers = newClient();
      const response = await limited.send(toQuery(), { headers });
      const first = response.body.errors[0];
      expect([first.path, first.extensions.code]).toEqual([['a3'], 'RATE_LIMITED']);
      expect(response.headers.get('retry-after')).toBe('60');
      expect((await limited.bandha.store.listUsers()).length).toBe(3);
    } finally {
      await limited.close();
    }
  });

  it('check at most 20 guesses for one account', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const headers = newClient();
    const guesses = Array.from({ length: 90 }, (_, i) => field(`a${i}`, email));
    const { body } = await server.send(`mutation { ${guesses.join(' ')} }`, { headers });
    expect(count(codesOf(body.errors), 'INVALID_CREDENTIALS')).toBeLessThanOrEqual(20);
  });
});

describe('many accounts from one network', () => {
  it('get 100 guesses, then one in 5 seconds; other networks are unaffected', async () => {
    const headers = newClient();
    const logIn = async () => {
      const { body } = await server.send(`mutation { ${field('a', `${crypto.randomUUID()}@example.com`)} }`, {
        headers,
      });
      return codesOf(body.errors)[0] ?? '';
    };
    const codes = await inChunks(150, logIn);
    expect(count(codes, 'INVALID_CREDENTIALS')).toBe(100);
    expect(count(codes, 'RATE_LIMITED')).toBe(50);
    const { body } = await server.send(`mutation { ${field('a', 'ada@example.com')} }`, {
      headers: newClient(),
    });
    expect(codesOf(body.errors)).toEqual(['INVALID_CREDENTIALS']);
    server.clock.now = new Date(server.clock.now.getTime() + 5_000);
    expect([await logIn(), await logIn()]).toEqual(['INVALID_CREDENTIALS', 'RATE_LIMITED']);
  });

  it('get limits by account only behind an untrusted proxy, and a warning', async () => {
    const warn = vi.fn();
    const log = { debug() {}, info() {}, warn, error() {} };
    const behind = await startTestServer({ log });
    try {
      const codes: string[] = [];
      for (let i = 0; i < 120; i += 1) {
        const query = `mutation { ${field('a', `${i}@example.com`)} }`;
        const { body } = await behind.send(query, { headers: { 'x-forwarded-for': `198.51.100.${i}` } });
        codes.push(...codesOf(body.errors));
      }
      expect(new Set(codes)).toEqual(new Set(['INVALID_CREDENTIALS']));
      expect(
        warn.mock.calls.filter(([, message]) => String(message).includes('X-Forwarded-For')),
      ).toHaveLength(1);
    } finally {
      await behind.close();
    }
  });
});

describe('registrations from one network', () => {
  const register = (email: string, headers: Record<string, string>) =>
    server.send(`mutation { register(email: "${email}", password: "${GOOD_PASSWORD}") { tokenType } }`, {
      headers,
    });

  it('reveal whether an email is taken 30 times, then once a minute', async () => {
    const taken = `${crypto.randomUUID()}@example.com`;
    expect((await register(taken, newClient())).body.data).not.toBeNull();
    const headers = newClient();
    const responses = await Promise.all(Array.from({ length: 60 }, () => register(taken, headers)));
    const codes = responses.flatMap(({ body }) => codesOf(body.errors));
    expect(count(codes, 'BAD_USER_INPUT')).toBe(30);
    expect(count(codes, 'RATE_LIMITED')).toBe(30);
    const rejected = await register('new@example.com', headers);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await register(taken, newClient())).body.errors[0].extensions.reason).toBe('EMAIL_TAKEN');
  });
});
