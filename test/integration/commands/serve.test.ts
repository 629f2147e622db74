// Runs `bandha serve` as a separate process.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';
import { GOOD_PASSWORD, register, sendOperation } from '../../support/test-server.ts';

const SECURE = '{ secureData { user { email } } }';
const REGISTER_HINT = /mutation \{ register\(|Create account/;

/** Starts a server in `folder` with `env`, and stops it after `use`. */
async function withServer<T>(
  folder: string,
  env: Record<string, string>,
  use: (server: Awaited<ReturnType<typeof startServerProcess>>) => Promise<T>,
): Promise<T> {
  const server = await startServerProcess(serverEnv(folder, env), folder);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

const logIn = (url: string, email: string, password: string) =>
  sendOperation(
    url,
    'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { user { roles } } }',
    { variables: { email, password } },
  );

const hasGraphiQL = async (url: string) => {
  const page = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
  return (await page.text()).includes('<html');
};

describe('bandha serve', () => {
  it('prints the address of GraphiQL and, while there are no users, how to create one', () =>
    withFolder(async (folder) => {
      await withServer(folder, {}, async ({ url, output }) => {
        expect(output()).toContain(`GraphiQL  http://localhost:${new URL(url).port}/graphql`);
        expect(output()).toContain('bandha users add you@example.com --role admin');
        expect(output()).toMatch(REGISTER_HINT);
        expect(await hasGraphiQL(url)).toBe(true);
        await register(url);
      });
      await withServer(folder, {}, async ({ output }) => {
        expect(output()).toContain('GraphiQL');
        expect(output()).not.toMatch(/no users|users add|register/);
      });
    }));

  it('names the command as `npm run bandha --` if npm has started it', () =>
    withFolder((folder) =>
      withServer(folder, { npm_lifecycle_event: 'start', npm_package_name: 'bandha' }, async ({ output }) => {
        expect(output()).toContain('npm run bandha -- users add you@example.com --role admin');
      }),
    ));

  it('exits with 0 on SIGTERM, even if connections are open', () =>
    withFolder((folder) =>
      withServer(folder, {}, async (server) => {
        await sendOperation(server.url, '{ __typename }'); // fetch keeps the connection open
        await server.stop('SIGTERM');
        expect(server.child).toMatchObject({ exitCode: 0, signalCode: null });
      }),
    ));

  it('exits with 1 if the port is in use, and explains how to choose another', () =>
    withFolder((folder) =>
      withServer(folder, {}, async ({ url, env }) => {
        const { port } = new URL(url);
        const second = await runBandha(['serve'], { env: { ...env, PORT: port }, cwd: folder });
        expect(second.code).toBe(1);
        expect(second.stderr).toMatch(new RegExp(`^Port ${port} is in use\\..*PORT=\\d+ bandha serve\n$`));
        expect(second.stdout).toBe('');
      }),
    ));

  it('leaves `register` out of the schema if signup is closed', () =>
    withFolder((folder) =>
      withServer(folder, { BANDHA_SIGNUP: 'closed' }, async ({ url, output }) => {
        expect(output()).toContain('users add');
        expect(output()).not.toMatch(REGISTER_HINT);
        const { body } = await sendOperation(
          url,
          'mutation { register(email: "a@b.c", password: "x") { tokenType } }',
        );
        expect(body.data).toBeUndefined();
        expect(body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
        const listed = await sendOperation(url, '{ __schema { mutationType { fields { name } } } }');
        expect(JSON.stringify(listed.body)).not.toContain('register');
      }),
    ));

  it('treats an empty variable as unset', () =>
    withFolder((folder) => {
      const empty = [
        'BANDHA_ADMIN_EMAIL',
        'BANDHA_SIGNUP',
        'BANDHA_GRAPHIQL',
        'BANDHA_COLOUR',
        'NODE_ENV',
        'HOST',
      ];
      const env = Object.fromEntries(empty.map((name) => [name, '']));
      return withServer(folder, env, async ({ url }) => expect(await hasGraphiQL(url)).toBe(true));
    }));
});

describe('bandha serve in production', () => {
  it('serves no GraphiQL, and logs JSON lines without tokens and passwords', () =>
    withFolder((folder) =>
      withServer(folder, { NODE_ENV: 'production', BANDHA_LOG_LEVEL: 'trace' }, async (server) => {
        expect(await hasGraphiQL(server.url)).toBe(false);
        const { accessToken, refreshToken } = await register(server.url);
        await sendOperation(server.url, SECURE, { token: accessToken });
        await sendOperation(server.url, SECURE, { token: 'not a token' });
        await sendOperation(server.url, '{ unknown }');
        await server.stop();
        const lines = server.output().trimEnd().split('\n');
        for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'listening' });
        for (const secret of [accessToken, refreshToken, GOOD_PASSWORD]) {
          expect(server.output()).not.toContain(secret);
        }
      }),
    ));

  it('serves GraphiQL with BANDHA_GRAPHIQL=on', () =>
    withFolder((folder) =>
      withServer(folder, { NODE_ENV: 'production', BANDHA_GRAPHIQL: 'on' }, async ({ url }) =>
        expect(await hasGraphiQL(url)).toBe(true),
      ),
    ));
});

describe('the secret of bandha serve', () => {
  it('the first start creates a secret that only its owner can read; the next uses it', () =>
    withFolder(async (folder) => {
      const file = join(folder, '.bandha/secret');
      const start = <T>(use: (url: string) => Promise<T>) =>
        withServer(folder, { BANDHA_SECRET: '' }, ({ url }) => use(url));
      const { accessToken, user } = await start(register);
      const secret = await readFile(file, 'utf8');
      expect(secret.trim().length).toBeGreaterThanOrEqual(32);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const again = await start((url) => sendOperation(url, SECURE, { token: accessToken }));
      expect(again.body).toEqual({ data: { secureData: { user: { email: user.email } } } });
      expect(await readFile(file, 'utf8')).toBe(secret);
    }));

  it('the start exits with 2 if the secret is not the one of the signing keys', () =>
    withFolder(async (folder) => {
      await withServer(folder, {}, async () => {});
      const wrong = 'quite another secret, and long enough for one';
      const { code, stdout, stderr } = await runBandha(['serve'], {
        env: serverEnv(folder, { BANDHA_SECRET: wrong }),
        cwd: folder,
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^ {2}BANDHA_SECRET: .*signing keys/m);
      expect(stdout + stderr).not.toContain(wrong);
    }));
});

describe('the administrator that the configuration names', () => {
  it('the first start creates the administrator, and the next does not change it', () =>
    withFolder(async (folder) => {
      const email = 'root@example.com';
      const admin = (password: string) => ({ BANDHA_ADMIN_EMAIL: email, BANDHA_ADMIN_PASSWORD: password });
      await withServer(folder, admin(GOOD_PASSWORD), async ({ url, output }) => {
        expect((await logIn(url, email, GOOD_PASSWORD)).body.data.login.user.roles).toEqual(['admin']);
        expect(output()).not.toMatch(/no users/); // the administrator is one
        expect(output()).not.toContain(GOOD_PASSWORD);
      });
      await withServer(folder, admin('another good passphrase'), async ({ url, env }) => {
        expect((await logIn(url, email, GOOD_PASSWORD)).body.data.login.user.roles).toEqual(['admin']);
        const changed = await logIn(url, email, 'another good passphrase');
        expect(changed.body.errors[0].extensions.code).toBe('INVALID_CREDENTIALS');
        const { stdout } = await runBandha(['users', 'list'], { env, cwd: folder });
        expect(stdout.match(/root@example\.com +admin/g)).toHaveLength(1);
      });
    }));
});
