// Runs `bandha users unlock` as a separate process beside a server on the same store.
import { describe, expect, it, vi } from 'vitest';
import { runBandha } from '../../support/server-process.ts';
import { GOOD_PASSWORD, register, sendOperation } from '../../support/test-server.ts';
import { useServerProcess } from '../../support/use-server-process.ts';

const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { tokenType } }';
/** Until the account’s limit for one network is reached. */
const BURST = 20;
const OUTPUT = 'Deleted the rate limits of this email. Running servers follow within five seconds.\n';

const server = useServerProcess({ BANDHA_TRUSTED_PROXIES: '127.0.0.0/8' });
const unlock = (...args: string[]) => runBandha(['users', 'unlock', ...args], { env: server().env });

async function logIn(email: string, password: string, client: string): Promise<string> {
  const headers = { 'x-forwarded-for': client };
  const { body } = await sendOperation(server().url, LOGIN, { variables: { email, password }, headers });
  return body.data ? 'OK' : body.errors[0].extensions.code;
}

describe('bandha users unlock', () => {
  it('lets an account sign in again in a running server', async () => {
    const { user } = await register(server().url);
    const attackers = Array.from({ length: 6 }, (_, i) => `198.51.100.${i}`);
    for (const attacker of attackers) {
      for (let i = 0; i < BURST; i += 1) await logIn(user.email, 'a guess', attacker);
    }
    const owner = '203.0.113.1';
    expect(await logIn(user.email, GOOD_PASSWORD, owner)).toBe('RATE_LIMITED');
    expect(await unlock(` ${user.email.toUpperCase()}`)).toEqual({ code: 0, stdout: OUTPUT, stderr: '' });
    await vi.waitFor(async () => expect(await logIn(user.email, GOOD_PASSWORD, owner)).toBe('OK'), {
      timeout: 60_000,
      interval: 50,
    });
  });

  it('prints the same for an email without an account', async () => {
    expect(await unlock('unknown@example.com')).toEqual({ code: 0, stdout: OUTPUT, stderr: '' });
  });

  it.each([
    ['text that is no email', ['nonsense'], 1, /email address is not valid/],
    ['no email', [], 2, /Usage: bandha users unlock EMAIL/],
    ['two emails', ['ada@example.com', 'bob@example.com'], 2, /Usage: bandha users unlock EMAIL/],
  ])('rejects %s', async (_, args, code, message) => {
    expect(await unlock(...args)).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('rejects another secret than the servers’, which would change nothing', async () => {
    const env = { ...server().env, BANDHA_SECRET: 'another secret than that of the server' };
    const rejected = await runBandha(['users', 'unlock', 'ada@example.com'], { env });
    expect(rejected).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('BANDHA_SECRET') });
  });
});
