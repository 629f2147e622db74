// Runs `bandha users roles` as separate processes beside a server on the same store.
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { runBandha } from '../../support/server-process.ts';
import { GOOD_PASSWORD, register, type SignedIn, sendOperation } from '../../support/test-server.ts';
import { useServerProcess } from '../../support/use-server-process.ts';

const SECURE = '{ secureData { message } }';
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';

const server = useServerProcess();

const bandha = (args: string[], input?: string) => runBandha(args, { env: server().env, input });
const roles = (...args: string[]) => bandha(['users', 'roles', ...args]);

/** The reason why the server rejects the token; undefined if it accepts it. */
async function problemOf(token: string): Promise<string | undefined> {
  return (await sendOperation(server().url, SECURE, { token })).body.errors?.[0].extensions.reason;
}
/** The roles in the access token of a refresh, once the server accepts it. */
async function refreshedRoles(signedIn: SignedIn): Promise<unknown> {
  const { body } = await sendOperation(server().url, REFRESH, {
    variables: { token: signedIn.refreshToken },
  });
  const { accessToken, refreshToken } = body.data.refresh;
  signedIn.refreshToken = refreshToken;
  // The server rejects the token until it has received the latest change of roles.
  await expect.poll(() => problemOf(accessToken)).toBeUndefined();
  return decodeJwt(accessToken).roles;
}

describe('bandha users roles', () => {
  it('changed roles reject old tokens in a running server; new ones have them', async () => {
    const ada = await register(server().url);
    const { email } = ada.user;
    expect(await problemOf(ada.accessToken)).toBeUndefined();

    const added = await roles('add', email.toUpperCase(), 'admin', 'editor');
    expect(added).toEqual({
      code: 0,
      stdout: `${email} has roles admin, editor. Tokens with the old roles are rejected; clients refresh them.\n`,
      stderr: expect.stringMatching(/^Warning: .*password chosen at registration.*users password EMAIL\n$/),
    });
    await expect.poll(() => problemOf(ada.accessToken)).toBe('TOKEN_EXPIRED');
    expect(await refreshedRoles(ada)).toEqual(['admin', 'editor']);

    const removed = await roles('remove', email, 'admin');
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringMatching(/has role editor\. Tokens/) });
    expect(await refreshedRoles(ada)).toEqual(['editor']);

    const last = await roles('remove', email, 'editor');
    expect(last).toMatchObject({ code: 0, stdout: expect.stringMatching(/has no roles\. Tokens/) });
    expect(await refreshedRoles(ada)).toEqual([]);
    await expect.poll(() => problemOf(ada.accessToken)).toBeUndefined(); // that token has no roles either
  });

  it('leaves other users and their tokens unchanged', async () => {
    const [ada, bob] = [await register(server().url), await register(server().url)];
    await roles('add', ada.user.email, 'admin');
    await expect.poll(() => problemOf(ada.accessToken)).toBe('TOKEN_EXPIRED');
    expect(await problemOf(bob.accessToken)).toBeUndefined();
    const { stdout } = await bandha(['users', 'list']);
    expect(stdout).toMatch(new RegExp(`^${ada.user.email} +admin +`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${bob.user.email} +- +`, 'm'));
  });

  it('reports if nothing changed, and rejects no token', async () => {
    const { user, accessToken } = await register(server().url);
    const removed = await roles('remove', user.email, 'admin');
    expect(removed).toEqual({
      code: 0,
      stdout: `${user.email} has no roles. Nothing changed.\n`,
      stderr: '',
    });
    await roles('add', user.email, 'admin');
    const again = await roles('add', user.email, 'admin', 'admin');
    expect(again).toEqual({
      code: 0,
      stdout: `${user.email} has role admin. Nothing changed.\n`,
      stderr: '',
    });
    await roles('remove', user.email, 'admin');
    await expect.poll(() => problemOf(accessToken)).toBeUndefined();
  });

  it.each([
    ['add', 'nobody@example.com'],
    ['remove', 'nobody@example.com'],
    ['add', 'not an email'],
  ])('%s exits with 1 if no user has the email %s', async (subcommand, email) => {
    expect(await roles(subcommand, email, 'admin')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'No user has this email.\n',
    });
  });

  it.each<[string, string[], string]>([
    ['no email', ['add'], 'Usage: bandha users roles add EMAIL ROLE...'],
    ['no role', ['add', 'ada@example.com'], 'Usage: bandha users roles add EMAIL ROLE...'],
    ['no role to remove', ['remove', 'ada@example.com'], 'Usage: bandha users roles remove EMAIL ROLE...'],
    ['an unknown option', ['add', 'ada@example.com', '--role', 'admin'], 'Usage: bandha users roles add'],
    ['an empty role', ['add', 'ada@example.com', 'admin', ''], 'A role must not be empty.'],
    ['an unknown subcommand', ['grant', 'ada@example.com', 'admin'], 'Unknown command "users roles grant".'],
    ['no subcommand', [], 'Unknown command "users roles".'],
  ])('reports %s as incorrect usage', async (_, args, message) => {
    const refused = await roles(...args);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it.each<[string, string[]]>([
    ['500', Array.from({ length: 500 }, (_, i) => `a role with a rather long name ${i}`)],
    ['one of 5,000 characters', ['x'.repeat(5_000)]],
  ])('rejects too many roles with one sentence and exit code 1, and changes nothing: %s', async (_, many) => {
    const ada = await register(server().url);
    const rejected = {
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^(An account|A role) must have at most [^\n]*\.\n$/),
    };
    expect(await roles('add', ada.user.email, ...many)).toEqual(rejected);
    const options = many.flatMap((role) => ['--role', role]);
    expect(await bandha(['users', 'add', 'many@example.com', ...options], GOOD_PASSWORD)).toEqual(rejected);
    expect((await bandha(['users', 'list'])).stdout).not.toContain('many@example.com');
    expect(await problemOf(ada.accessToken)).toBeUndefined();
  });

  it('adds up to 100 roles, and the server accepts the token', async () => {
    const ada = await register(server().url);
    const many = Array.from({ length: 100 }, (_, i) => `${'é'.repeat(17)}${100 + i}`);
    expect(await roles('add', ada.user.email, ...many)).toMatchObject({ code: 0 });
    expect(await refreshedRoles(ada)).toEqual(many);
    expect(await roles('add', ada.user.email, 'x')).toMatchObject({ code: 1 });
  });

  it('rejects an empty role of a new user, but removes one without complaint', async () => {
    const refused = await bandha(['users', 'add', 'new@example.com', '--role', ' '], GOOD_PASSWORD);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('A role must not be empty.') });
    const { user } = await register(server().url);
    const removed = await roles('remove', user.email, '');
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing changed') });
  });
});
