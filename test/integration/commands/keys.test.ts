// Runs `bandha keys` as separate processes beside a server on the same store.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';
import { register, sendOperation } from '../../support/test-server.ts';
import { useServerProcess } from '../../support/use-server-process.ts';

const SECURE = '{ secureData { message } }';
const KID = '[0-9a-f-]{36}';
const TIME = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';

const server = useServerProcess();

const keys = (...args: string[]) => runBandha(['keys', ...args], { env: server().env });
const isAccepted = async (token: string) =>
  (await sendOperation(server().url, SECURE, { token })).status === 200;

async function publishedKids(): Promise<string[]> {
  const response = await fetch(`${server().url}/.well-known/jwks.json`);
  const { keys: published }: { keys: { kid: string }[] } = await response.json();
  return published.map(({ kid }) => kid);
}

/** The kids in the order of `keys list`, with their statuses. */
async function listed(): Promise<[string, string][]> {
  const { stdout } = await keys('list');
  return [...stdout.matchAll(new RegExp(`^(${KID}) +EdDSA +(\\w+)`, 'gm'))].map(
    ([, kid = '', status = '']) => [kid, status],
  );
}

describe('bandha keys list', () => {
  it('prints a line per key in signing order, without secrets', async () => {
    const { code, stdout, stderr } = await keys('list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [heading = '', current = '', next = '', ...others] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^KEY +ALGORITHM +STATUS +PUBLISHED +SIGNS SINCE +RETIRED$/);
    expect(current).toMatch(new RegExp(`^${KID} +EdDSA +current +${TIME} +${TIME} +-$`));
    expect(next).toMatch(new RegExp(`^${KID} +EdDSA +next +${TIME} +- +-$`));
    expect(others).toEqual([]);
    expect((await listed()).map(([kid]) => kid).toSorted()).toEqual((await publishedKids()).toSorted());
  });
});

describe('bandha keys rotate', () => {
  it('makes a running server sign with the next key and accept earlier tokens', async () => {
    const [[oldKid = ''] = [], [nextKid = ''] = []] = await listed();
    const before = await register(server().url);
    expect(decodeProtectedHeader(before.accessToken).kid).toBe(oldKid);

    const { code, stdout, stderr } = await keys('rotate');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, signing, publishedKid = ''] =
      new RegExp(`^(${KID}) signs new tokens.*\n(${KID}) is published as the next key\\.$`, 'm').exec(
        stdout,
      ) ?? [];
    expect(signing).toBe(nextKid);
    // The first start was a moment ago.
    expect(stdout).toMatch(new RegExp(`less than five minutes ago.* until ${TIME}\\.\n$`));

    await expect.poll(publishedKids).toContain(publishedKid);
    expect((await publishedKids()).toSorted()).toEqual([oldKid, nextKid, publishedKid].toSorted());
    expect(await listed()).toEqual([
      [oldKid, 'retired'],
      [nextKid, 'current'],
      [publishedKid, 'next'],
    ]);

    const after = await register(server().url);
    expect(decodeProtectedHeader(after.accessToken).kid).toBe(nextKid);
    expect(await isAccepted(after.accessToken)).toBe(true);
    expect(await isAccepted(before.accessToken)).toBe(true);
    const remote = createRemoteJWKSet(new URL(`${server().url}/.well-known/jwks.json`));
    for (const { accessToken, user } of [before, after]) {
      expect((await jwtVerify(accessToken, remote)).payload.sub).toBe(user.id);
    }
  });

  it('changes nothing with another secret, and names the variable', async () => {
    const before = await listed();
    const wrong = 'quite another secret, and long enough for one';
    const refused = await runBandha(['keys', 'rotate'], { env: { ...server().env, BANDHA_SECRET: wrong } });
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^ {2}BANDHA_SECRET: /m),
    });
    expect(refused.stderr).not.toContain(wrong);
    expect(await listed()).toEqual(before);
  });

  it('finds the secret that the server has created', () =>
    withFolder(async (folder) => {
      const env = serverEnv(folder, { BANDHA_SECRET: '' });
      const own = await startServerProcess(env, folder);
      try {
        const rotated = await runBandha(['keys', 'rotate'], { env, cwd: folder });
        expect(rotated).toMatchObject({ code: 0, stderr: '' });
      } finally {
        await own.stop();
      }
    }));

  it('creates no secret if there is none, and names the variable', () =>
    withFolder(async (folder) => {
      const env = serverEnv(folder, { BANDHA_SECRET: '' });
      const refused = await runBandha(['keys', 'rotate'], { env, cwd: folder });
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(/^ {2}BANDHA_SECRET: /m);
      expect(existsSync(join(folder, '.bandha'))).toBe(false);
    }));

  it('exits with 1 if no server has created keys yet', () =>
    withFolder(async (folder) => {
      const refused = await runBandha(['keys', 'rotate'], { env: serverEnv(folder), cwd: folder });
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/^No key was rotated: .*first start of a server creates them\.\n$/);
      expect(existsSync(join(folder, 'bandha.db'))).toBe(false);
    }));

  it.each<[string, string[], string]>([
    ['an argument', ['rotate', 'now'], 'Usage: bandha keys rotate'],
    ['an option', ['rotate', '--force'], 'Usage: bandha keys rotate'],
    ['an argument of the list', ['list', 'all'], 'Usage: bandha keys list'],
    ['an unknown subcommand', ['replace'], 'Unknown command "keys replace".'],
    ['no subcommand', [], 'Unknown command "keys".'],
  ])('reports %s as incorrect usage', async (_, args, message) => {
    const refused = await keys(...args);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});
