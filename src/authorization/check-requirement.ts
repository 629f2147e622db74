// Decides whether a caller may read a field or an object: compares the principal with the requirement.
//
// Called by `evaluate-plan.ts` before an operation runs, and by `enforcement.ts` for every protected field during execution.
// Policies, the part of a requirement that calls the application, are decided in `policies.ts`.
import {
  AuthError,
  type AuthErrorDetails,
  type AuthErrorReason,
  type TokenProblem,
  withoutStack,
} from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';
import type { Requirement, Rule } from './requirement.ts';

/** The caller of one operation, and the clock. */
export interface Caller {
  /** Null for an anonymous caller. */
  principal: Principal | null;
  /** The reason for which a token that was sent was rejected. */
  tokenProblem: TokenProblem | undefined;
  /** Read only if a rule has a `maxAge`. */
  now: () => Date;
}

/** The reason for which a caller does not meet a requirement. */
export interface Denial {
  reason: AuthErrorReason;
  details: AuthErrorDetails;
  /** The same for denials that give the same error text. */
  key: string;
}

/** How far the clock that set a principal's `authenticatedAt` may be ahead: the largest `clockToleranceSeconds` of a verifier. */
const MAX_AHEAD_MS = 300_000;

/** The denial of a caller for whom a policy did not return `true`. */
export const POLICY_DENIED: Denial = deny('POLICY_DENIED');

/**
 * Compares a caller with a requirement, without its policies. Pure, and called for every protected field.
 *
 * A missing role or scope comes before `REAUTHENTICATION_REQUIRED`: signing in again would not help a caller who lacks them.
 *
 * @returns undefined if the caller meets every rule
 */
export function checkRequirement(
  requirement: Requirement,
  { principal, tokenProblem, now }: Caller,
): Denial | undefined {
  if (requirement.length === 0) return undefined;
  if (principal === null) return deny(tokenProblem ?? 'MISSING_TOKEN');
  for (const { roles, scopes } of requirement) {
    if (roles !== undefined && !roles.some((role) => principal.roles.has(role))) return deny('MISSING_ROLE');
    if (scopes !== undefined && !scopes.some((set) => set.every((scope) => principal.scopes.has(scope)))) {
      return deny('MISSING_SCOPE', { scope: scopes[0]?.join(' ') ?? '' });
    }
  }
  const expiredRule = requirement.find((rule) => isSignInTooOld(rule, principal, now));
  return expiredRule && deny('REAUTHENTICATION_REQUIRED', { maxAge: expiredRule.maxAge ?? 0 });
}

/** Creates the error for a denied field, to throw from its resolver or to send. */
export function toAuthError({ reason, details }: Denial, coordinate: string): AuthError {
  return withoutStack(() => new AuthError(reason, { ...details, coordinate }));
}

function deny(reason: AuthErrorReason, details: AuthErrorDetails = {}): Denial {
  return { reason, details, key: `${reason} ${details.scope ?? ''} ${details.maxAge ?? ''}` };
}

/** An `authenticatedAt` in the future is too old as well: otherwise a wrong clock would extend `maxAge` without limit. */
function isSignInTooOld({ maxAge }: Rule, principal: Principal, now: () => Date): boolean {
  if (maxAge === undefined) return false;
  const ageMs = now().getTime() - principal.authenticatedAt.getTime();
  return !(ageMs <= maxAge * 1000 && ageMs >= -MAX_AHEAD_MS); // an invalid date gives NaN, which counts as too old
}
