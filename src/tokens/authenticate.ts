// From request headers to the caller: reads the bearer token, verifies it, asks whether its session has ended.
import type { IncomingHttpHeaders } from 'node:http';
import type { TokenProblem } from '../errors.ts';
import { handleMaybePromise, type MaybePromise } from '../utils/maybe-promise.ts';
import type { Principal } from './principal.ts';
import type { CheckSession } from './revocation/session-check.ts';
import type { ReportCause, TokenLogCause } from './token-log.ts';
import type { Verification, Verifier } from './verifier.ts';

/** Who is asking; with `problem`, why the token that was presented was not accepted. */
export interface Authentication {
  /** The caller; null for an anonymous one. */
  principal: Principal | null;
  /** Why a presented token was not accepted; undefined if it was, or if there is none. */
  problem: TokenProblem | undefined;
}

/** The headers of a request: those of Fetch, or those of `node:http`. */
export type RequestHeaders = Headers | IncomingHttpHeaders;

/** Resolves to the caller and never rejects: a public field must work whatever the header says. */
export type Authenticate = (headers: RequestHeaders) => Promise<Authentication>;

/** The same, at once where nothing has to be awaited: a promise would cost more than the look-up. */
export type AuthenticateMaybeAsync = (headers: RequestHeaders) => MaybePromise<Authentication>;

/** The log's causes for what a session check finds. */
const SESSION_CAUSES: Partial<Record<TokenProblem, TokenLogCause>> = {
  TOKEN_REVOKED: 'REVOKED',
  TOKEN_EXPIRED: 'ROLES_CHANGED',
  REVOCATIONS_UNAVAILABLE: 'REVOCATIONS_UNAVAILABLE',
};

const ANONYMOUS: Authentication = Object.freeze({ principal: null, problem: undefined }); // all requests share it

/**
 * @param checkSession finds which tokens are rejected although they verify. @default none
 * @param report logs why
 */
export function createAuthenticate(
  verifier: Verifier,
  checkSession?: CheckSession,
  report?: ReportCause,
): AuthenticateMaybeAsync {
  function accept(verification: Verification): MaybePromise<Authentication> {
    const { principal, problem } = verification;
    if (principal === undefined) return { principal: null, problem };
    return handleMaybePromise(checkSession?.(principal), (ended) => {
      if (ended === undefined) return verification;
      const { userId, sessionId } = principal;
      report?.(SESSION_CAUSES[ended] ?? 'REVOKED', { userId, sessionId });
      return { principal: null, problem: ended };
    });
  }

  return (headers) => {
    const token = readBearerToken(headers);
    if (token === undefined) return ANONYMOUS;
    return handleMaybePromise(verifier.getCached(token) ?? verifier.verify(token), accept);
  };
}

/** The credentials of the Bearer scheme (RFC 6750, section 2.1); undefined where the header has none of that scheme. */
function readBearerToken(headers: RequestHeaders): string | undefined {
  const header = isHeaders(headers) ? headers.get('authorization') : headers.authorization;
  if (header == null) return undefined;
  if (header.startsWith('Bearer ')) return header.slice('Bearer '.length).trim(); // as nearly every client sends it
  const match = /^bearer(?:\s+(.*))?$/is.exec(header.trim());
  return match === null ? undefined : (match[1] ?? '');
}

/** Yoga's own fetch classes are not instances of the global ones. */
function isHeaders(headers: RequestHeaders): headers is Headers {
  return typeof headers.get === 'function';
}
