// From request headers to the caller: reads the bearer token, verifies it, asks whether its session has ended.
import type { IncomingHttpHeaders } from 'node:http';
import type { TokenProblem } from '../errors.ts';
import type { CheckSession } from './check-session.ts';
import type { Principal } from './principal.ts';
import type { Verifier } from './verifier.ts';

/** Who is asking; with `problem`, why the token that was presented was not accepted. */
export interface Authentication {
  principal: Principal | null;
  problem: TokenProblem | undefined;
}

export type RequestHeaders = Headers | IncomingHttpHeaders;

/** Resolves to the caller and never rejects: a public field must work whatever the header says. */
export type Authenticate = (headers: RequestHeaders) => Promise<Authentication>;

const ANONYMOUS: Authentication = { principal: null, problem: undefined };

/** @param checkSession says which tokens are refused though they verify; absent: none */
export function createAuthenticate(verifier: Verifier, checkSession?: CheckSession): Authenticate {
  return async (headers) => {
    const token = readBearerToken(headers);
    if (token === undefined) return ANONYMOUS;
    const { principal, problem } = await verifier.verify(token);
    if (principal === undefined) return { principal: null, problem };
    // Most answers are there at once; waiting for those too would cost every request a turn.
    const answer = checkSession?.(principal);
    const ended = answer instanceof Promise ? await answer : answer;
    if (ended === undefined) return { principal, problem: undefined };
    if (ended !== 'REVOCATIONS_UNAVAILABLE') verifier.forget(token);
    return { principal: null, problem: ended };
  };
}

/** The credentials of the Bearer scheme (RFC 6750, section 2.1); undefined where the header has none of that scheme. */
function readBearerToken(headers: RequestHeaders): string | undefined {
  const header =
    headers instanceof Headers || isHeadersLike(headers)
      ? headers.get('authorization')
      : headers.authorization;
  return /^bearer(?:\s+(.*))?$/is
    .exec(header?.trim() ?? '')
    ?.slice(1)
    .map((token) => token ?? '')[0];
}

/** Yoga's own fetch classes are not instances of the global ones. */
function isHeadersLike(headers: RequestHeaders): headers is Headers {
  return typeof headers.get === 'function';
}
