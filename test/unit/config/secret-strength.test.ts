// Guessable secrets are rejected; others are accepted.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { measureSecret } from '../../../src/config/secret-strength.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

describe('a guessable secret', () => {
  it.each([
    'secretsecretsecretsecretsecretsecret',
    'SecretSecretSecretSecretSecretSecr',
    'changeme-changeme-changeme-changeme',
    'your-256-bit-secret-your-256-bit-secret',
    'x'.repeat(64),
    'ab'.repeat(20),
    'aaaaaaaabbbbbbbbccccccccdddddddd',
    '01234567890123456789012345678901',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'zyxwvutsrqponmlkjihgfedcba987654321',
    'qwertyuiopasdfghjklzxcvbnm1234567890',
    'passwordpassword12345678password1',
    'adminadminadmin12345678letmein123456',
    'P@ssw0rdP@ssw0rd1234567890qwerty!!',
    '1111111122222222333333334444444455555555',
    'please-change-me-in-production-1234',
    'REPLACE_ME_WITH_A_LONG_RANDOM_SECRET',
    'development-secret-do-not-use-in-production',
    '<insert-your-random-secret-here-32>',
    'your-super-secret-jwt-key-goes-here',
    'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
    'xa1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
    'z9y8x7w6v5u4t3s2r1q0p9o8n7m6l5k4',
  ])('causes an error at start with its name and without its value: %s', (secret) => {
    expect(measureSecret(secret)).toBe('guessable');
    const issues = [
      expect.stringMatching(/^BANDHA_SECRET: must not be easy to guess.*openssl rand -base64 32$/),
    ];
    const load = () => loadConfig({ BANDHA_SECRET: secret });
    expect(load).toThrow(expect.objectContaining({ name: 'ConfigError', issues }));
    expect(load).not.toThrow(secret);
    expect(() => resolveConfig({ secret })).toThrow(expect.objectContaining({ name: 'ConfigError' }));
  });
});

describe('any other secret', () => {
  it('works if it is random, in base64, base64url or hex', () => {
    for (let round = 0; round < 200; round += 1) {
      const bytes = randomBytes(32);
      for (const secret of [
        bytes.toString('base64'),
        bytes.toString('base64url'),
        bytes.toString('hex'),
        bytes.subarray(0, 24).toString('base64'),
      ]) {
        expect(measureSecret(secret)).toBe('strong');
      }
      expect(measureSecret(bytes.subarray(0, 16).toString('hex'))).not.toBe('guessable');
    }
  });

  it.each([
    TEST_SECRET,
    'a secret of thirty-two characters',
    'another secret, also long enough',
    'velvet thunder orchard compass lantern glacier',
  ])('works if it is a passphrase of several words: %s', (secret) => {
    expect(measureSecret(secret)).not.toBe('guessable');
    expect(loadConfig({ BANDHA_SECRET: secret }).secret).toBe(secret);
  });
});
