// Verifies the server's own tokens. When a signing key is revoked, cached tokens are dropped and watches end.
import { decodeProtectedHeader } from 'jose';
import type { TokenProblem } from '../errors.ts';
import { SIGNING_ALGORITHMS } from './algorithms.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Principal } from './principal.ts';
import { MAX_CLOCK_DIFFERENCE_SECONDS } from './revocation/expiring-map.ts';
import type { ReportCause } from './token-log.ts';
import { buildVerifier, type Verifier, type VerifierOptions } from './verifier.ts';

export interface OwnVerifierOptions {
  issuer: string;
  audience: string;
  accessTtlSeconds: number;
  /** Logs why a token is rejected. @default not logged */
  report?: ReportCause;
  now: () => Date;
  /** Called with the principal of each token that is verified, but not for cached tokens. */
  onVerified?: (principal: Principal) => void;
}

export interface OwnVerifier extends Verifier {
  /** Calls `onEnd` when the key that signed the principal's token is revoked. @returns a function that stops the watch */
  watchKey(principal: Principal, onEnd: (problem: TokenProblem) => void): () => void;
}

export function createOwnVerifier(
  keyring: Pick<Keyring, 'findKey' | 'has' | 'onRemoval'>,
  { issuer, audience, accessTtlSeconds, report = () => {}, now, onVerified }: OwnVerifierOptions,
): OwnVerifier {
  const options: VerifierOptions = {
    issuer,
    audience,
    algorithms: SIGNING_ALGORITHMS,
    keys: keyring.findKey,
    // The revocation cache drops an entry after this time. A token that was issued with a longer lifetime must not outlive it.
    maxAgeSeconds: accessTtlSeconds,
    maxAheadSeconds: MAX_CLOCK_DIFFERENCE_SECONDS,
    now,
  };
  const create = () => buildVerifier(options, { report, isStrict: true });
  let verifier = create();
  // Weak, so that an entry is collected together with the cached token.
  const kids = new WeakMap<Principal, string>();
  const watches = new Map<object, { kid: string; onEnd: (problem: TokenProblem) => void }>();

  keyring.onRemoval(() => {
    // Replaced with its cache. Verifications in flight finish in the old one, so that the new one does not cache their results.
    verifier = create();
    for (const [watch, { kid, onEnd }] of watches) {
      if (keyring.has(kid)) continue;
      watches.delete(watch);
      onEnd('TOKEN_INVALID');
    }
  });

  return {
    getCached: (token) => verifier.getCached(token),
    async verify(token) {
      const verification = await verifier.verify(token);
      const { principal } = verification;
      if (principal === undefined) return verification;
      const { kid = '' } = decodeProtectedHeader(token);
      // The key was revoked during the verification.
      if (!keyring.has(kid)) return { principal: undefined, problem: 'TOKEN_INVALID' };
      kids.set(principal, kid);
      onVerified?.(principal);
      return verification;
    },
    get cachedTokens() {
      return verifier.cachedTokens;
    },
    watchKey(principal, onEnd) {
      const kid = kids.get(principal);
      if (kid === undefined) return () => {};
      const watch = {};
      watches.set(watch, { kid, onEnd });
      // The key may have been revoked since the verification.
      if (!keyring.has(kid)) {
        watches.delete(watch);
        onEnd('TOKEN_INVALID');
      }
      return () => watches.delete(watch);
    },
  };
}
