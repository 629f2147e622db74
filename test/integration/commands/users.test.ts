// Runs `bandha users` as separate processes beside a server on the same store.
import { describe, expect, it } from 'vitest';
import { runBandha } from '../../support/server-process.ts';
import { GOOD_PASSWORD, register, sendOperation } from '../../support/test-server.ts';
import { useServerProcess } from '../../support/use-server-process.ts';

const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { user { email roles } } }';
const SECURE = '{ secureData { message } }';

const server = useServerProcess();

const users = (args: string[], input?: string) => runBandha(['users', ...args], { env: server().env, input });
const logIn = (email: string) =>
  sendOperation(server().url, LOGIN, { variables: { email, password: GOOD_PASSWORD } });

describe('bandha users add', () => {
  it.each([
    ['with a line break after the password', `${GOOD_PASSWORD}\n`],
    ['with a Windows line break', `${GOOD_PASSWORD}\r\n`],
    ['without a line break', GOOD_PASSWORD],
  ])('creates a user who can sign in immediately, %s', async (_, input) => {
    const email = `${crypto.randomUUID()}@example.com`;
    const added = await users(['add', email], input);
    expect(added).toEqual({ code: 0, stdout: `Added ${email}.\n`, stderr: '' });
    expect((await logIn(email)).body.data.login.user).toEqual({ email, roles: [] });
  });

  it('gives the user the roles of --role, and never prints the password', async () => {
    const added = await users(
      ['add', 'ops@example.com', '--role', 'admin', '--role', 'auditor'],
      GOOD_PASSWORD,
    );
    expect(added.code).toBe(0);
    expect(added.stdout + added.stderr).not.toContain(GOOD_PASSWORD);
    expect((await logIn('ops@example.com')).body.data.login.user.roles).toEqual(['admin', 'auditor']);
  });

  it.each([
    ['a common password', 1, 'new@example.com', 'password1', /password.*common/],
    ['a short password', 1, 'new@example.com', 'qX7!z', /password.*8 characters/],
    ['the email in the password', 1, 'newcomer@example.com', 'my newcomer pass', /password.*email/],
    ['an invalid email', 1, 'nobody-at-home', GOOD_PASSWORD, /email address is not valid/],
    ['no password', 2, 'new@example.com', '', /No password/],
    ['an empty line as password', 2, 'new@example.com', '\n', /No password/],
  ])('rejects %s with a message', async (_, code, email, input, message) => {
    const refused = await users(['add', email], input);
    expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    if (input.trim() !== '') expect(refused.stderr).not.toContain(input);
  });

  it('rejects a registered email in any case', async () => {
    const { user } = await register(server().url);
    const refused = await users(['add', user.email.toUpperCase()], GOOD_PASSWORD);
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/account with this email/),
    });
  });

  it.each([
    ['a missing email', ['add']],
    ['a password as an argument', ['add', 'new@example.com', GOOD_PASSWORD]],
    ['an unknown option', ['add', 'new@example.com', '--password', GOOD_PASSWORD]],
  ])('reports %s as incorrect usage', async (_, args) => {
    const refused = await users(args, GOOD_PASSWORD);
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: bandha users add'),
    });
    expect(refused.stderr).not.toContain(GOOD_PASSWORD);
  });
});

describe('bandha users list', () => {
  it('lists no rejected users', async () => {
    const { stdout } = await users(['list']);
    for (const email of ['new@', 'newcomer@', 'nobody-at-home']) expect(stdout).not.toContain(email);
  });

  it('prints a line per user with roles and state, without password hashes', async () => {
    await users(['add', 'listed@example.com', '--role', 'editor'], GOOD_PASSWORD);
    const { code, stdout, stderr } = await users(['list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
    expect(stdout).toMatch(new RegExp(`^listed@example\\.com +editor +${time} +active$`, 'm'));
    expect(stdout).not.toMatch(/argon2/i);
    await users(['disable', 'listed@example.com']);
    const pattern = `^listed@example\\.com +editor +${time} +disabled ${time}$`;
    expect((await users(['list'])).stdout).toMatch(new RegExp(pattern, 'm'));
  });
});

describe('bandha users disable', () => {
  it('revokes the sessions in a running server within a second, and prevents sign-in', async () => {
    const { user, accessToken, refreshToken } = await register(server().url);
    const other = await register(server().url);
    const refresh = `mutation { refresh(refreshToken: "${refreshToken}") { tokenType } }`;
    expect((await sendOperation(server().url, SECURE, { token: accessToken })).status).toBe(200);

    const disabled = await users(['disable', user.email.toUpperCase()]);
    const exitedAt = performance.now();
    let answer = await sendOperation(server().url, SECURE, { token: accessToken });
    while (answer.status === 200 && performance.now() - exitedAt < 5_000) {
      answer = await sendOperation(server().url, SECURE, { token: accessToken });
    }
    const took = performance.now() - exitedAt;

    expect(disabled).toEqual({
      code: 0,
      stdout: `Disabled ${user.email} and revoked 1 session.\n`,
      stderr: '',
    });
    expect(answer.status).toBe(401);
    expect(answer.body.errors[0].extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_REVOKED',
    });
    expect(took).toBeLessThan(1_000);
    expect((await logIn(user.email)).body.errors[0].extensions).toEqual({ code: 'INVALID_CREDENTIALS' });
    expect((await sendOperation(server().url, refresh)).body.errors[0].extensions).toEqual({
      code: 'INVALID_REFRESH_TOKEN',
      reason: 'REVOKED',
    });
    expect((await sendOperation(server().url, SECURE, { token: other.accessToken })).status).toBe(200);
  });

  it.each(['nobody@example.com', 'not an email'])(
    'exits with 1 if no user has the email %s',
    async (email) => {
      const refused = await users(['disable', email]);
      expect(refused.code).not.toBe(0);
      expect(refused).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining('No user has this email'),
      });
    },
  );
});
