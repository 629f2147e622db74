// The requirement of a field or type: rules that its caller must meet, and how rules combine.
//
// `check-requirement.ts` decides whether a caller meets a requirement, and `policies.ts` evaluates the policies in it.

/**
 * The rule of one directive. All members given must hold together; none means that the caller must be signed in.
 *
 * @example const rule: Rule = { roles: ['admin', 'editor'], maxAge: 300 } // @auth(roles: ["admin", "editor"], maxAge: 300)
 */
export interface Rule {
  /** Names of roles, of which the caller must have at least one. */
  roles?: readonly string[];
  /** Sets of OAuth scopes (RFC 6749, section 3.3). The caller must have every scope of at least one set. */
  scopes?: readonly (readonly string[])[];
  /** Sets of names of policies. Every policy of at least one set must return `true`. */
  policies?: readonly (readonly string[])[];
  /** Maximum age of the caller's sign-in, in seconds (`max_age` in RFC 9470, section 3). */
  maxAge?: number;
}

/**
 * Rules that must all hold, as `readAccessRules` combines them for a field or type. Every caller meets an empty requirement,
 * signed in or not. `checkRequirement` makes the decision.
 */
export type Requirement = readonly Rule[];

/** The rule of `@auth` without arguments: the caller is signed in. */
export const SIGNED_IN: Rule = {};

/** The rules that occur in every requirement. If all requirements have rules but share none, at least `SIGNED_IN`. */
export function sharedRules(requirements: readonly Requirement[]): Rule[] {
  const [first = [], ...rest] = requirements;
  if (first.length === 0 || rest.some((requirement) => requirement.length === 0)) return [];
  const keys = rest.map((requirement) => new Set(requirement.map(toKey)));
  const shared = first.filter((rule) => keys.every((set) => set.has(toKey(rule))));
  return shared.length > 0 ? shared : [SIGNED_IN];
}

/**
 * Creates a function that turns lists of rules into requirements. Equal rules become one object and equal requirements one
 * array, so that an operation plan can group fields by identity.
 */
export function createInterner(): (rules: readonly Rule[]) => Requirement {
  const rules = new Map<string, Rule>();
  const requirements = new Map<string, Requirement>();
  return (list) => {
    const distinct = new Map(list.map((rule) => [toKey(rule), rule]));
    // Every other rule requires a signed-in caller too.
    if (distinct.size > 1) distinct.delete(toKey(SIGNED_IN));
    const keys = [...distinct.keys()].sort();
    const key = keys.join();
    const existing = requirements.get(key);
    if (existing !== undefined) return existing;
    for (const [ruleKey, rule] of distinct) if (!rules.has(ruleKey)) rules.set(ruleKey, rule);
    const requirement = keys.flatMap((ruleKey) => rules.get(ruleKey) ?? []);
    requirements.set(key, requirement);
    return requirement;
  };
}

/** @returns the same key for rules that require the same, in whatever order they list it */
function toKey({ roles, scopes, policies, maxAge }: Rule): string {
  const sorted = (sets: Rule['scopes']) =>
    sets?.map((set) => JSON.stringify([...new Set(set)].sort())).sort();
  return JSON.stringify([roles && [...new Set(roles)].sort(), sorted(scopes), sorted(policies), maxAge]);
}
