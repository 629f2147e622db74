// A clock that does not return a Date is an error at start, in every function with the option `now`.
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import {
  createBandha,
  createVerifier,
  useGuard,
  useTokenAuth,
  type VerifierOptions,
} from '../../../src/index.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const CLOCKS = {
  milliseconds: () => 1_800_000_000_000,
  'a Date': new Date(),
  'an invalid Date': () => new Date(Number.NaN),
  undefined: () => undefined,
};
const MESSAGE = new ConfigError(['now: must be a function that returns a Date']);
const VERIFIER: VerifierOptions = {
  issuer: 'i',
  audience: 'a',
  keys: new URL('https://login.example.com/jwks'),
};

describe.each(Object.entries(CLOCKS))('a clock that is or returns %s', (_, clock) => {
  const now = clock as () => Date; // what JavaScript can pass

  it('makes createBandha fail', async () => {
    const created = createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET, now });
    await expect(created).rejects.toThrow(MESSAGE);
  });

  it('makes createVerifier and useGuard fail', () => {
    expect(() => createVerifier({ ...VERIFIER, now })).toThrow(MESSAGE);
    expect(() => useGuard({ now })).toThrow(MESSAGE);
  });
});

describe('useTokenAuth', () => {
  it('fails without options, and names the required one', () => {
    const create = useTokenAuth as (...args: unknown[]) => unknown; // what JavaScript can pass
    expect(() => create()).toThrow('verifier: is required');
  });
});
