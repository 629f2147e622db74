// A requirement in words, for people: descriptions, tables, warnings.
import type { Requirement, Rule } from './rules.ts';

/** Such as `role a or b; scopes x and y, or z`; an empty requirement is `nothing`. */
export function describeRequirement(requirement: Requirement): string {
  if (requirement.length === 0) return 'nothing';
  return requirement.flatMap(describeRule).join('; ') || 'sign-in';
}

function describeRule({ roles, scopes, policies, maxAge }: Rule): string[] {
  return [
    roles && `role ${roles.join(' or ')}`,
    scopes && `scope ${describeSets(scopes)}`,
    policies && `policy ${describeSets(policies)}`,
    maxAge !== undefined && `sign-in within ${maxAge} s`,
  ].filter((part) => typeof part === 'string');
}

function describeSets(sets: readonly (readonly string[])[]): string {
  return sets.map((set) => set.join(' and ')).join(', or ');
}
