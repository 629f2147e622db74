// Whether a caller meets a requirement; pure, and asked for every protected field.
import { AuthError, type TokenProblem } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';
import type { Requirement, Rule } from './rules.ts';

/** Who is asking, and when. */
export interface Caller {
  principal: Principal | null;
  tokenProblem: TokenProblem | undefined;
  now: Date;
}

/**
 * @returns the refusal; undefined where the caller meets every rule. What signing in again cannot mend comes first.
 */
export function checkRequirement(
  requirement: Requirement,
  { principal, tokenProblem, now }: Caller,
  coordinate: string,
): AuthError | undefined {
  if (requirement.length === 0) return undefined;
  if (principal === null) return new AuthError(tokenProblem ?? 'MISSING_TOKEN', { coordinate });
  for (const { roles, scopes } of requirement) {
    if (roles !== undefined && !roles.some((role) => principal.roles.has(role))) {
      return new AuthError('MISSING_ROLE', { coordinate });
    }
    if (scopes !== undefined && !scopes.some((set) => set.every((scope) => principal.scopes.has(scope)))) {
      return new AuthError('MISSING_SCOPE', { coordinate, scope: scopes[0]?.join(' ') ?? '' });
    }
  }
  const tooOld = requirement.find((rule) => isTooOld(rule, principal, now));
  return tooOld && new AuthError('REAUTHENTICATION_REQUIRED', { coordinate, maxAge: tooOld.maxAge ?? 0 });
}

function isTooOld({ maxAge }: Rule, { authenticatedAt }: Principal, now: Date): boolean {
  return maxAge !== undefined && now.getTime() - authenticatedAt.getTime() > maxAge * 1000;
}
