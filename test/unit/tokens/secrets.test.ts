// Encryption, message authentication codes and pseudonyms with keys derived from one secret.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const secrets = createSecrets(TEST_SECRET);
const others = createSecrets(`${TEST_SECRET} and more`);
const text = fc.string({ unit: 'grapheme' });

describe('seal and open', () => {
  it('round-trip a text under its name', () => {
    fc.assert(
      fc.property(text, text, (plaintext, name) => {
        expect(secrets.open(secrets.seal(plaintext, name), name)).toBe(plaintext);
      }),
    );
  });

  it('work across processes with the same secret', () => {
    expect(createSecrets(TEST_SECRET).open(secrets.seal('text', 'name'), 'name')).toBe('text');
  });

  it('hide the text, and give another result each time', () => {
    const sealed = secrets.seal('a private key', 'name');
    expect(secrets.seal('a private key', 'name')).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('private');
  });

  it('give undefined with another secret or another name', () => {
    const sealed = secrets.seal('text', 'name');
    expect(others.open(sealed, 'name')).toBeUndefined();
    expect(secrets.open(sealed, 'Name')).toBeUndefined();
    expect(secrets.open(sealed, '')).toBeUndefined();
  });

  it('give undefined if a bit is changed or the end is missing', () => {
    const bytes = Buffer.from(secrets.seal('text', 'name'), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(secrets.open(changed.toString('base64url'), 'name')).toBeUndefined();
      expect(secrets.open(bytes.subarray(0, at).toString('base64url'), 'name')).toBeUndefined();
    }
  });

  it.each(['', 'x', 'not base64url: é', 'A'.repeat(1_000)])('give undefined for garbage: %s', (garbage) => {
    expect(secrets.open(garbage, 'name')).toBeUndefined();
  });
});

describe('a message authentication code', () => {
  it('consists of 43 base64url characters, the same each time', () => {
    expect(secrets.mac('message')).toMatch(/^[\w-]{43}$/);
    expect(createSecrets(TEST_SECRET).mac('message')).toBe(secrets.mac('message'));
  });

  it('matches only its own message and secret', () => {
    fc.assert(
      fc.property(text, text, (message, other) => {
        const mac = secrets.mac(message);
        expect(secrets.isMac(mac, message)).toBe(true);
        expect(secrets.isMac(mac, other)).toBe(message === other);
        expect(others.isMac(mac, message)).toBe(false);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['one that is too short', secrets.mac('message').slice(1)],
    ['one that is too long', `${secrets.mac('message')}A`],
    ['as many characters, but more bytes', 'é'.repeat(43)],
  ])('never matches or throws: %s', (_, mac) => {
    expect(secrets.isMac(mac, 'message')).toBe(false);
  });
});

describe('a pseudonym', () => {
  const secrets = createSecrets('a secret that only these tests know of');

  it('depends on the text, the purpose and the secret', () => {
    const pseudonym = secrets.digest('rate limits', '192.0.2.1');
    expect(pseudonym).toMatch(/^[\w-]{22}$/);
    expect(secrets.digest('rate limits', '192.0.2.1')).toBe(pseudonym);
    const others = [
      secrets.digest('rate limits', '192.0.2.2'),
      secrets.digest('known networks', '192.0.2.1'),
      createSecrets('another secret that only these tests know').digest('rate limits', '192.0.2.1'),
    ];
    expect(others).not.toContain(pseudonym);
  });
});
