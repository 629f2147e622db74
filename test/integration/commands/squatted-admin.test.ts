// An attacker has registered the address of BANDHA_ADMIN_EMAIL before it was configured.
import { describe, expect, it } from 'vitest';
import { seedAdmin } from '../../../src/accounts/administration.ts';
import { ConfigError } from '../../../src/errors.ts';
import { createPasswordHasher } from '../../../src/passwords/hasher.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { runBandha, serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';
import { GOOD_PASSWORD, register, sendOperation } from '../../support/test-server.ts';

const EMAIL = 'boss@corp.example';
const ADMIN = { BANDHA_ADMIN_EMAIL: 'Boss@Corp.Example', BANDHA_ADMIN_PASSWORD: 'known to the chief alone' };
const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { accessToken user { roles } } }';

describe('an account with the administrator’s address and without the role', () => {
  it('prevents the start of the server until the operator takes it over', () =>
    withFolder(async (folder) => {
      const env = serverEnv(folder);
      const first = await startServerProcess(env, folder);
      const stranger = await register(first.url, EMAIL, GOOD_PASSWORD);
      await first.stop();

      const rejected = await runBandha(['serve'], { env: { ...env, ...ADMIN } });
      expect(rejected.code).toBe(2);
      expect(rejected.stderr).toMatch(
        /^ {2}BANDHA_ADMIN_EMAIL: .*users password EMAIL.*users roles add EMAIL admin/m,
      );
      expect(rejected.stderr.toLowerCase()).not.toContain(EMAIL);
      expect(rejected.stderr).not.toContain(ADMIN.BANDHA_ADMIN_PASSWORD);

      const users = (args: string[], input?: string) => runBandha(['users', ...args], { env, input });
      expect(await users(['password', EMAIL], 'password')).toMatchObject({ code: 1, stdout: '' }); // too common
      expect(await users(['password', EMAIL], ADMIN.BANDHA_ADMIN_PASSWORD)).toEqual({
        code: 0,
        stdout: `Changed the password of ${EMAIL} and revoked 1 session.\n`,
        stderr: '',
      });
      expect((await users(['roles', 'add', EMAIL, 'admin'])).code).toBe(0);

      const server = await startServerProcess({ ...env, ...ADMIN }, folder);
      const logIn = async (password: string) =>
        (await sendOperation(server.url, LOGIN, { variables: { email: EMAIL, password } })).body;
      expect((await logIn(GOOD_PASSWORD)).errors[0].extensions.code).toBe('INVALID_CREDENTIALS');
      expect((await logIn(ADMIN.BANDHA_ADMIN_PASSWORD)).data.login.user.roles).toEqual(['admin']);
      const secure = await sendOperation(server.url, '{ secureData { message } }', {
        token: stranger.accessToken,
      });
      expect(secure.body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
      await server.stop();
    }));

  it.each(['nobody@example.com', 'no address'])('users password exits with 1 for %s', (email) =>
    withFolder(async (folder) => {
      const call = { env: serverEnv(folder), input: GOOD_PASSWORD };
      await runBandha(['users', 'add', 'other@example.com'], call);
      const result = await runBandha(['users', 'password', email], call);
      expect(result).toEqual({ code: 1, stdout: '', stderr: 'No user has this email.\n' });
    }),
  );
});

describe('the administrator of an empty store', () => {
  it('several instances that start at the same time create the administrator once', () =>
    withFolder(async (folder) => {
      const url = `sqlite:${folder}/bandha.db`;
      const stores = [await openStore(url), await openStore(url)];
      const passwords = await createPasswordHasher();
      const now = () => new Date();
      const admin = { email: EMAIL, password: ADMIN.BANDHA_ADMIN_PASSWORD };
      await Promise.all([...stores, ...stores].map((store) => seedAdmin({ store, passwords, now }, admin)));
      expect((await stores[0]?.listUsers())?.map(({ roles }) => roles)).toEqual([['admin']]);
      await Promise.all([...stores.map((store) => store.close()), passwords.close()]);
    }));

  it('the start fails if an attacker registers the address during hashing', () =>
    withFolder(async (folder) => {
      const store = await openStore(`sqlite:${folder}/bandha.db`);
      const hasher = await createPasswordHasher();
      const passwords = {
        ...hasher,
        async hash(password: string) {
          const id = crypto.randomUUID();
          const stranger = {
            id,
            email: EMAIL,
            emailKey: EMAIL,
            passwordHash: 'theirs',
            roles: [],
            createdAt: new Date(),
          };
          await store.createUser(stranger);
          return hasher.hash(password);
        },
      };
      const admin = { email: EMAIL, password: ADMIN.BANDHA_ADMIN_PASSWORD };
      await expect(seedAdmin({ store, passwords, now: () => new Date() }, admin)).rejects.toBeInstanceOf(
        ConfigError,
      );
      expect((await store.listUsers()).map(({ roles }) => roles)).toEqual([[]]);
      await Promise.all([store.close(), hasher.close()]);
    }));
});
