// From headers to the caller: what becomes of a verified token whose session does not stand any more.
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
  return { ask: (authorization?: string) => authenticate({ authorization }), ...verifier };
}

describe('authenticating', () => {
  it.each<[string, CheckSession | undefined]>([
    ['is not asked about', undefined],
    ['stands', () => undefined],
    ['stands, as is known a moment later', () => Promise.resolve(undefined)],
  ])('accepts a verified token whose session %s', async (_, checkSession) => {
    const { ask } = createAuthentication(checkSession);
    expect(await ask('Bearer good')).toEqual(ACCEPTED);
  });

  it.each<TokenProblem>(['TOKEN_REVOKED', 'TOKEN_EXPIRED', 'REVOCATIONS_UNAVAILABLE'])(
    'answers %s as the session is judged, at once or later',
    async (problem) => {
      for (const checkSession of [() => problem, () => Promise.resolve(problem)]) {
        const { ask } = createAuthentication(checkSession);
        expect(await ask('Bearer good')).toEqual({ principal: null, problem });
      }
    },
  );

  it('asks about no session where the token does not verify, or there is none', async () => {
    const checkSession = vi.fn<CheckSession>();
    const { ask } = createAuthentication(checkSession);
    expect(await ask('Bearer bad')).toEqual({ principal: null, problem: 'TOKEN_INVALID' });
    for (const header of [undefined, '', 'Basic good', 'good']) {
      expect(await ask(header)).toEqual({ principal: null, problem: undefined });
    }
    expect(checkSession).not.toHaveBeenCalled();
  });
});
