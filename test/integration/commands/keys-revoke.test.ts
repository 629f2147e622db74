// Runs `bandha keys revoke` as a separate process beside a server whose signing keys are stolen.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { SigningKeyRow, SigningKeyStatus } from '../../../src/storage/store.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { type Postgres, startPostgres } from '../../support/postgres.ts';
import {
  runBandha,
  type ServerProcess,
  serverEnv,
  startServerProcess,
} from '../../support/server-process.ts';
import { register, type SignedIn, sendOperation, TEST_SECRET } from '../../support/test-server.ts';

const SECURE = '{ secureData { message } }';
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';

describe.each(['SQLite', 'PostgreSQL'])('bandha keys revoke on %s', (database) => {
  let folder: string;
  let postgres: Postgres | undefined;
  let env: Record<string, string>;
  let server: ServerProcess;
  let caller: SignedIn;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
    if (database === 'PostgreSQL') postgres = await startPostgres(['-c', 'fsync=off']);
    env = serverEnv(folder, postgres && { DATABASE_URL: await postgres.createDatabase() });
    server = await startServerProcess(env, folder);
    caller = await register(server.url);
  });
  afterAll(async () => {
    await server?.stop();
    await postgres?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const keys = (...args: string[]) => runBandha(['keys', ...args], { env });

  async function readKeys(): Promise<SigningKeyRow[]> {
    const store = await openStore(env.DATABASE_URL ?? '');
    return store.listSigningKeys().finally(() => store.close());
  }
  async function keyThatIs(status: SigningKeyStatus): Promise<SigningKeyRow> {
    const key = (await readKeys()).find((row) => row.status === status);
    if (key === undefined) throw new Error(`No key is ${status}`);
    return key;
  }

  /** A token of the caller's session, made with the stolen private half of a key. */
  async function forge({ kid, algorithm, sealedPrivateJwk }: SigningKeyRow, secondsFromNow = 0) {
    const stolen = JSON.parse(createSecrets(TEST_SECRET).open(sealedPrivateJwk, kid) ?? '');
    const iat = Math.floor(Date.now() / 1000) + secondsFromNow;
    const claims = { ...decodeJwt(caller.accessToken), jti: crypto.randomUUID(), iat, exp: iat + 600 };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid })
      .sign(await importJWK(stolen, algorithm));
  }
  const outcomeOf = async (token: string) =>
    (await sendOperation(server.url, SECURE, { token })).body.errors?.[0].extensions.reason ?? 'OK';
  async function refresh(): Promise<string> {
    const { body } = await sendOperation(server.url, REFRESH, { variables: { token: caller.refreshToken } });
    caller = { ...caller, refreshToken: body.data?.refresh.refreshToken ?? caller.refreshToken };
    return body.data?.refresh.accessToken ?? JSON.stringify(body);
  }

  it.each<SigningKeyStatus>(['retired', 'next', 'current'])(
    'rejects tokens forged with the %s key, cached ones too',
    async (status) => {
      if (status === 'retired') await keys('rotate');
      const key = await keyThatIs(status);
      const [cached, unseen] = [await forge(key), await forge(key)];
      await expect.poll(() => outcomeOf(cached)).toBe('OK');

      const { code, stdout, stderr } = await keys('revoke', key.kid);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Revoked ${key.kid}.`);
      await expect.poll(() => outcomeOf(cached)).toBe('TOKEN_INVALID');
      expect(await outcomeOf(unseen)).toBe('TOKEN_INVALID');

      const rows = await readKeys();
      expect(rows.map((row) => row.kid)).not.toContain(key.kid);
      const statuses = rows.map((row) => row.status).filter((one) => one !== 'retired');
      expect(statuses.toSorted()).toEqual(['current', 'next']);
      const { body } = await sendOperation(server.url, '{ viewer { id } }', { token: cached });
      expect(body).toEqual({ data: { viewer: null } }); // a bad token never blocks a public field
      expect(await outcomeOf(await refresh())).toBe('OK'); // the session stays
    },
  );

  it('signs with the next key after the current one is revoked', async () => {
    const [current, next] = [await keyThatIs('current'), await keyThatIs('next')];
    expect((await keys('revoke', current.kid)).stdout).toContain('next key signs');
    expect((await keyThatIs('current')).kid).toBe(next.kid);
  });

  it('exits with 1 for an unknown key and changes nothing', async () => {
    const before = await readKeys();
    for (const kid of ['nosuchkey', "'; drop table signing_keys", crypto.randomUUID()]) {
      expect(await keys('revoke', kid)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'No signing key has this id.\n',
      });
    }
    expect(await readKeys()).toEqual(before);
  });

  it.each<[string, string[], string]>([
    ['neither a key nor --all', [], 'Missing argument.'],
    ['both a key and --all', ['kid', '--all'], 'Give a key or --all, not both.'],
    ['two keys', ['one', 'other'], 'Too many arguments.'],
    ['an unknown option', ['--force'], 'Usage: bandha keys revoke KID | --all'],
  ])('reports %s as incorrect usage', async (_, args, message) => {
    expect(await keys('revoke', ...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  it('rejects every forged token after --all, and a running server creates new keys', async () => {
    const rows = await readKeys();
    const forged = await Promise.all(rows.map((row) => forge(row)));
    for (const token of forged) await expect.poll(() => outcomeOf(token)).toBe('OK');
    const { code, stdout } = await keys('revoke', '--all');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('Revoked') });
    for (const token of forged) await expect.poll(() => outcomeOf(token)).toBe('TOKEN_INVALID');
    await expect
      .poll(async () => (await readKeys()).map(({ status }) => status).toSorted())
      .toEqual(['current', 'next']);
    await expect.poll(async () => outcomeOf(await refresh())).toBe('OK');
  });

  it('allows a start with another secret after --all, which invalidates all sessions', async () => {
    await server.stop();
    const stolen = await keyThatIs('current');
    const { accessToken, refreshToken } = caller;
    const fresh = await forge(stolen);
    env = { ...env, BANDHA_SECRET: 'quite another secret, made after the first had leaked' };
    const rejected = await runBandha(['serve'], { env });
    expect(rejected.code).toBe(2);
    expect(rejected.stderr).toMatch(/^ {2}BANDHA_SECRET: .*signing keys.*bandha keys revoke --all/m);
    expect(rejected.stderr).not.toContain(env.BANDHA_SECRET);

    expect(await keys('revoke', stolen.kid)).toMatchObject({ code: 2 }); // the key that replaces it cannot be decrypted
    expect((await readKeys()).map(({ kid }) => kid)).toContain(stolen.kid);
    expect(await keys('revoke', '--all')).toMatchObject({ code: 0, stderr: '' });
    expect(await keys('revoke', '--all')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^There are no signing keys\./),
    });
    server = await startServerProcess(env, folder);
    for (const token of [accessToken, fresh]) expect(await outcomeOf(token)).toBe('TOKEN_INVALID');
    const { body } = await sendOperation(server.url, REFRESH, { variables: { token: refreshToken } });
    expect(body.errors[0].extensions.reason).toBe('UNKNOWN');
    expect(await outcomeOf((await register(server.url)).accessToken)).toBe('OK');
  });
});
