// Finds the caller of a request: reads the bearer token, verifies it, and checks that its session is live.
import type { IncomingHttpHeaders } from 'node:http';
import type { TokenProblem } from '../errors.ts';
import { handleMaybePromise, type MaybePromise } from '../utils/maybe-promise.ts';
import type { Principal } from './principal.ts';
import type { CheckSession } from './revocation/session-check.ts';
import type { ReportCause, TokenLogCause } from './token-log.ts';
import type { Verification, Verifier } from './verifier.ts';

/** Outcome of authentication: the caller, or the reason why the presented token was not accepted. */
export interface Authentication {
  /** The caller; null for an anonymous one. */
  principal: Principal | null;
  /** Reason why the presented token was not accepted; undefined if it was accepted, or if none was presented. */
  problem: TokenProblem | undefined;
}

/** Headers of a request, as the Fetch API or `node:http` represents them. */
export type RequestHeaders = Headers | IncomingHttpHeaders;

/**
 * Finds the caller of a request from its `Authorization` header. Never rejects: public fields work whatever the header contains.
 *
 * @example const { principal } = await bandha.authenticate(request.headers)
 */
export type Authenticate = (headers: RequestHeaders) => Promise<Authentication>;

/** Like {@link Authenticate}, but synchronous for a cached token: a promise would cost more than the lookup. */
export type AuthenticateMaybeAsync = (headers: RequestHeaders) => MaybePromise<Authentication>;

/** Causes for the log, by result of the session check. */
const SESSION_CAUSES: Partial<Record<TokenProblem, TokenLogCause>> = {
  TOKEN_REVOKED: 'REVOKED',
  TOKEN_EXPIRED: 'ROLES_CHANGED',
  REVOCATIONS_UNAVAILABLE: 'REVOCATIONS_UNAVAILABLE',
};

const ANONYMOUS: Authentication = Object.freeze({ principal: null, problem: undefined }); // all requests share it

/**
 * @param checkSession finds revoked sessions and changed roles. @default not checked
 * @param report logs the cause of each rejection. @default not logged
 */
export function createAuthenticate(
  verifier: Verifier,
  checkSession?: CheckSession,
  report?: ReportCause,
): AuthenticateMaybeAsync {
  function accept(verification: Verification): MaybePromise<Authentication> {
    const { principal, problem } = verification;
    if (principal === undefined) return { principal: null, problem };
    return handleMaybePromise(checkSession?.(principal), (sessionProblem) => {
      if (sessionProblem === undefined) return verification;
      const { userId, sessionId } = principal;
      report?.(SESSION_CAUSES[sessionProblem] ?? 'REVOKED', { userId, sessionId });
      return { principal: null, problem: sessionProblem };
    });
  }

  return (headers) => {
    const token = readBearerToken(headers);
    if (token === undefined) return ANONYMOUS;
    return handleMaybePromise(verifier.getCached(token) ?? verifier.verify(token), accept);
  };
}

/** @returns the credentials of the Bearer scheme (RFC 6750, section 2.1); undefined without a header of this scheme */
function readBearerToken(headers: RequestHeaders): string | undefined {
  const header = isHeaders(headers) ? headers.get('authorization') : headers.authorization;
  if (header == null) return undefined;
  if (header.startsWith('Bearer ')) return header.slice('Bearer '.length).trim(); // the spelling of nearly every client
  const match = /^bearer(?:\s+(.*))?$/is.exec(header.trim());
  return match === null ? undefined : (match[1] ?? '');
}

/** Checks for a method, because Yoga's own `Headers` is not an instance of the global class. */
function isHeaders(headers: RequestHeaders): headers is Headers {
  return typeof headers.get === 'function';
}
