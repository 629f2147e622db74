// Argon2id as OWASP has it, the same work for accounts that do not exist, and a limit to the rush.
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hash as argon2 } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswordHasher, type PasswordHasher } from '../../../src/passwords/hasher.ts';

const PASSWORD = 'correct horse battery staple';

let hasher: PasswordHasher;
let phc: string;
beforeAll(async () => {
  hasher = await createPasswordHasher();
  phc = await hasher.hash(PASSWORD);
});
afterAll(() => hasher.close());

const refused = expect.objectContaining({
  name: 'AuthError',
  reason: 'RATE_LIMITED',
  details: { retryAfterSeconds: expect.toSatisfy((n) => Number.isInteger(n) && n >= 1) },
});

async function checkSignature() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = Buffer.from('signed');
  return promisify(verify)(undefined, text, publicKey, sign(undefined, text, privateKey));
}

describe('hashing a password', () => {
  it('makes an Argon2id hash with 19 MiB, 2 passes and 1 lane, in PHC format', () => {
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/);
  });

  it('salts: the same password never has the same hash', async () => {
    expect(await hasher.hash(PASSWORD)).not.toBe(phc);
  });
});

describe('verifying a password', () => {
  it.each([
    ['the password', PASSWORD, true],
    ['another one', `${PASSWORD}r`, false],
    ['the password in capitals', PASSWORD.toUpperCase(), false],
    ['the password with a space behind', `${PASSWORD} `, false],
    ['nothing', '', false],
    ['what is longer than any password', 'x'.repeat(10_000), false],
  ])('answers for %s', async (_, password, matches) => {
    expect(await hasher.verify(password, phc)).toBe(matches);
  });

  it.each([
    ['ＡＢｃ\u2126 café', 'ABcΩ cafe\u0301'],
    ['ﬃ and the rest', 'ffi and the rest'],
  ])('takes %s for the same as %s (NFKC)', async (registered, typed) => {
    expect(await hasher.verify(typed, await hasher.hash(registered))).toBe(true);
  });

  it('says no where there is no hash, whatever the password', async () => {
    expect(await hasher.verify(PASSWORD, undefined)).toBe(false);
  });

  it('rejects where the hash is not one, instead of saying no', async () => {
    await expect(hasher.verify(PASSWORD, 'not a hash')).rejects.toThrow();
  });
});

describe('the work of the hasher', () => {
  it.each([
    ['hashing', (h: PasswordHasher) => h.hash(PASSWORD)],
    ['verifying an account that exists', (h: PasswordHasher) => h.verify(PASSWORD, phc)],
    ['verifying an account that does not exist', (h: PasswordHasher) => h.verify(PASSWORD, undefined)],
  ])('%s takes one place, and the rest is refused with RATE_LIMITED', async (_, work) => {
    const narrow = await createPasswordHasher({ maxRunning: 1, maxWaiting: 0 });
    const first = work(narrow);
    await expect(work(narrow)).rejects.toEqual(refused);
    await first;
    await work(narrow);
    await narrow.close();
  });

  it('refuses with RATE_LIMITED who has waited too long', async () => {
    const slow = await createPasswordHasher({ maxRunning: 1, maxWaiting: 1, maxWaitMs: 0 });
    const first = slow.hash(PASSWORD);
    await expect(slow.hash(PASSWORD)).rejects.toEqual(refused);
    await first;
    await slow.close();
  });

  it.each([
    ['a look at a file', () => stat(import.meta.filename)],
    ['the check of a signature', () => checkSignature()],
  ])('never holds up %s, however many hashes run', async (_, other) => {
    const wide = await createPasswordHasher({ maxRunning: 8 }); // twice as many as libuv has threads
    const hashes = () => Array.from({ length: 8 }, () => wide.hash(PASSWORD).then(() => 'a hash'));
    await Promise.all(hashes()); // now all threads are there
    const running = hashes();
    expect(await Promise.race([...running, other().then(() => 'the other')])).toBe('the other');
    await Promise.all(running);
    await wide.close();
  });

  it('is finished where it is closed in the midst of it', async () => {
    const closing = await createPasswordHasher({ maxRunning: 1 });
    const made = closing.hash(PASSWORD);
    await closing.close();
    expect(await hasher.verify(PASSWORD, await made)).toBe(true);
  });

  it('spends as much processor time on an account that does not exist', async () => {
    // Median of interleaved rounds: other work on the machine falls on both alike.
    const spent = { somebody: [] as number[], nobody: [] as number[] };
    const measure = async (hashOrNot: string | undefined) => {
      const before = process.cpuUsage();
      await hasher.verify('a wrong password', hashOrNot);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    for (let round = 0; round < 15; round += 1) {
      spent.somebody.push(await measure(phc));
      spent.nobody.push(await measure(undefined));
    }
    const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
    const ratio = median(spent.nobody) / median(spent.somebody);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

describe('asking for a new hash', () => {
  const TODAY = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

  it('does not happen with the parameters of today', async () => {
    expect(hasher.needsRehash(phc)).toBe(false);
    expect(hasher.needsRehash(await argon2(PASSWORD, TODAY))).toBe(false);
  });

  it.each([
    ['less memory', { memoryCost: 8_192 }],
    ['more memory', { memoryCost: 32_768 }],
    ['other passes', { timeCost: 3 }],
    ['other lanes', { parallelism: 2 }],
    ['Argon2i, a weaker kind', { algorithm: 1 }],
    ['an older version of Argon2', { version: 0 }],
  ])('happens with %s', async (_, changes) => {
    const old = await argon2(PASSWORD, { ...TODAY, ...changes });
    expect(await hasher.verify(PASSWORD, old)).toBe(true);
    expect(hasher.needsRehash(old)).toBe(true);
  });
});
