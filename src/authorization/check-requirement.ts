// Whether a caller meets a requirement, policies apart; pure, and asked for every protected field.
import {
  AuthError,
  type AuthErrorDetails,
  type AuthErrorReason,
  type TokenProblem,
  withoutStack,
} from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';
import type { Requirement, Rule } from './directives.ts';

/** Who is asking, and when. */
export interface Caller {
  principal: Principal | null;
  tokenProblem: TokenProblem | undefined;
  /** Looked at only where a rule has a `maxAge`. */
  now: () => Date;
}

/** Why a caller does not meet a requirement. */
export interface Denial {
  reason: AuthErrorReason;
  details: AuthErrorDetails;
  /** The same for denials that read the same. */
  key: string;
}

/** @returns undefined where the caller meets every rule. What signing in again cannot mend comes first. */
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
  const expiredRule = requirement.find((rule) => isTooOld(rule, principal, now));
  return expiredRule && deny('REAUTHENTICATION_REQUIRED', { maxAge: expiredRule.maxAge ?? 0 });
}

/** The denial of a caller whom a policy did not let through. */
export const POLICY_DENIED: Denial = deny('POLICY_DENIED');

/** The refusal of a field, to throw or to answer with. */
export function toAuthError({ reason, details }: Denial, coordinate: string): AuthError {
  return withoutStack(() => new AuthError(reason, { ...details, coordinate }));
}

function deny(reason: AuthErrorReason, details: AuthErrorDetails = {}): Denial {
  return { reason, details, key: `${reason} ${details.scope ?? ''} ${details.maxAge ?? ''}` };
}

/** How far the clock of a principal's source may be ahead: as far as a verifier's `clockToleranceSeconds` may be set. */
const MAX_AHEAD_MS = 300_000;

/** A time in the future, or none at all, is never recent: it would be recent enough until it has come. */
function isTooOld({ maxAge }: Rule, principal: Principal, now: () => Date): boolean {
  if (maxAge === undefined) return false;
  const ageMs = now().getTime() - principal.authenticatedAt.getTime();
  return !(ageMs <= maxAge * 1000 && ageMs >= -MAX_AHEAD_MS); // not a number: too old
}

/** Where a guard logs; a pino logger fits. */
export interface GuardLog {
  /** A constant message; values are in `details`. */
  warn(details: object, message: string): void;
}
