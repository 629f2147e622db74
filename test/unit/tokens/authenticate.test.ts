// Authentication: the outcome for a verified token, by the status of its session.
import { describe, expect, it, vi } from 'vitest';
import type { TokenProblem } from '../../../src/errors.ts';
import { createAuthenticate } from '../../../src/tokens/authenticate.ts';
import type { CheckSession } from '../../../src/tokens/revocation/session-check.ts';
import type { Verifier } from '../../../src/tokens/verifier.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const ada = createPrincipal();
const ACCEPTED = { principal: ada, problem: undefined };

/** Verifies the token `good`. */
function createAuthentication(checkSession?: CheckSession) {
  const verifier = {
    verify: vi.fn<Verifier['verify']>(async (token) =>
      token === 'good' ? ACCEPTED : { principal: undefined, problem: 'TOKEN_INVALID' },
    ),
    getCached: () => undefined,
    cachedTokens: 0,
  };
  const authenticate = createAuthenticate(verifier, checkSession);
  return { request: (authorization?: string) => authenticate({ authorization }), ...verifier };
}

describe('createAuthenticate', () => {
  it.each<[string, CheckSession | undefined]>([
    ['is not checked', undefined],
    ['is live', () => undefined],
    ['is live, as a promise reports', () => Promise.resolve(undefined)],
  ])('accepts a verified token whose session %s', async (_, checkSession) => {
    const { request } = createAuthentication(checkSession);
    expect(await request('Bearer good')).toEqual(ACCEPTED);
  });

  it.each<TokenProblem>(['TOKEN_REVOKED', 'TOKEN_EXPIRED', 'REVOCATIONS_UNAVAILABLE'])(
    'returns %s from a session check, synchronous or not',
    async (problem) => {
      for (const checkSession of [() => problem, () => Promise.resolve(problem)]) {
        const { request } = createAuthentication(checkSession);
        expect(await request('Bearer good')).toEqual({ principal: null, problem });
      }
    },
  );

  it('checks no session for an invalid or a missing token', async () => {
    const checkSession = vi.fn<CheckSession>();
    const { request } = createAuthentication(checkSession);
    expect(await request('Bearer bad')).toEqual({ principal: null, problem: 'TOKEN_INVALID' });
    for (const header of [undefined, '', 'Basic good', 'good']) {
      expect(await request(header)).toEqual({ principal: null, problem: undefined });
    }
    expect(checkSession).not.toHaveBeenCalled();
  });
});
