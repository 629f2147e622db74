// The hasher: Argon2id with OWASP's parameters, equal work for unknown accounts, and a bounded queue.
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

const rateLimited = expect.objectContaining({
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
  it('creates an Argon2id hash with 19 MiB, 2 passes and parallelism 1, in PHC format', () => {
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/);
  });

  it('salts: two hashes of one password differ', async () => {
    expect(await hasher.hash(PASSWORD)).not.toBe(phc);
  });
});

describe('verifying a password', () => {
  it.each([
    ['the password', PASSWORD, true],
    ['another password', `${PASSWORD}r`, false],
    ['the password in capitals', PASSWORD.toUpperCase(), false],
    ['the password with a trailing space', `${PASSWORD} `, false],
    ['an empty string', '', false],
    ['a string longer than any password', 'x'.repeat(10_000), false],
  ])('compares %s with the hash', async (_, password, matches) => {
    expect(await hasher.verify(password, phc)).toBe(matches);
  });

  it.each([
    ['ＡＢｃ\u2126 café', 'ABcΩ cafe\u0301'],
    ['ﬃ and the rest', 'ffi and the rest'],
  ])('treats %s as equal to %s (NFKC)', async (registered, typed) => {
    expect(await hasher.verify(typed, await hasher.hash(registered))).toBe(true);
  });

  it('returns false without a hash, whatever the password', async () => {
    expect(await hasher.verify(PASSWORD, undefined)).toBe(false);
  });

  it('rejects an invalid hash instead of returning false', async () => {
    await expect(hasher.verify(PASSWORD, 'not a hash')).rejects.toThrow();
  });
});

describe('the queue of the hasher', () => {
  it.each([
    ['hashing', (h: PasswordHasher) => h.hash(PASSWORD)],
    ['verifying an account that exists', (h: PasswordHasher) => h.verify(PASSWORD, phc)],
    ['verifying an account that does not exist', (h: PasswordHasher) => h.verify(PASSWORD, undefined)],
  ])('%s occupies one slot, and further calls are RATE_LIMITED', async (_, work) => {
    const narrow = await createPasswordHasher({ maxRunning: 1, maxWaiting: 0 });
    const first = work(narrow);
    await expect(work(narrow)).rejects.toEqual(rateLimited);
    await first;
    await work(narrow);
    await narrow.close();
  });

  it('rejects a call that waits for too long with RATE_LIMITED', async () => {
    const slow = await createPasswordHasher({ maxRunning: 1, maxWaiting: 1, maxWaitMs: 0 });
    const first = slow.hash(PASSWORD);
    await expect(slow.hash(PASSWORD)).rejects.toEqual(rateLimited);
    await first;
    await slow.close();
  });

  it.each([
    ['reading a file', () => stat(import.meta.filename)],
    ['verifying a signature', () => checkSignature()],
  ])('completes %s before hashes that started earlier', async (_, other) => {
    const wide = await createPasswordHasher({ maxRunning: 8 }); // twice as many as libuv has threads
    const hashes = () => Array.from({ length: 8 }, () => wide.hash(PASSWORD).then(() => 'a hash'));
    await Promise.all(hashes()); // starts all threads
    const running = hashes();
    expect(await Promise.race([...running, other().then(() => 'the other')])).toBe('the other');
    await Promise.all(running);
    await wide.close();
  });

  it('completes pending hashes before it closes', async () => {
    const closing = await createPasswordHasher({ maxRunning: 1 });
    const pending = closing.hash(PASSWORD);
    await closing.close();
    expect(await hasher.verify(PASSWORD, await pending)).toBe(true);
  });

  it('spends as much processor time on an unknown account as on a known one', async () => {
    // Median of interleaved rounds, so that other load on the machine affects both equally.
    const spent = { known: [] as number[], unknown: [] as number[] };
    const measure = async (storedHash: string | undefined) => {
      const before = process.cpuUsage();
      await hasher.verify('a wrong password', storedHash);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    for (let round = 0; round < 15; round += 1) {
      spent.known.push(await measure(phc));
      spent.unknown.push(await measure(undefined));
    }
    const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
    const ratio = median(spent.unknown) / median(spent.known);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

describe('needsRehash', () => {
  const CURRENT = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

  it('returns false for a hash with the current parameters', async () => {
    expect(hasher.needsRehash(phc)).toBe(false);
    expect(hasher.needsRehash(await argon2(PASSWORD, CURRENT))).toBe(false);
  });

  it.each([
    ['less memory', { memoryCost: 8_192 }],
    ['more memory', { memoryCost: 32_768 }],
    ['other passes', { timeCost: 3 }],
    ['other parallelism', { parallelism: 2 }],
    ['Argon2i, a weaker kind', { algorithm: 1 }],
    ['an older version of Argon2', { version: 0 }],
  ])('returns true for a hash with %s', async (_, changes) => {
    const old = await argon2(PASSWORD, { ...CURRENT, ...changes });
    expect(await hasher.verify(PASSWORD, old)).toBe(true);
    expect(hasher.needsRehash(old)).toBe(true);
  });
});
