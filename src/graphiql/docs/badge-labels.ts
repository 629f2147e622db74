// A requirement as the words on its badges.
import type { Rule } from '../../authorization/directives.ts';

/** Such as `['role admin or auditor', 'within 5 min']`; `['signed in']` where no more than that is needed. */
export function badgeLabels(requirement: readonly Rule[]): string[] {
  if (requirement.length === 0) return [];
  const named = requirement.flatMap(({ roles, scopes, policies, maxAge }) => [
    ...(roles ? [`role ${roles.join(' or ')}`] : []),
    ...(scopes ? [`scope ${nameSets(scopes)}`] : []),
    ...(policies ? [`policy ${nameSets(policies)}`] : []),
    ...(maxAge === undefined ? [] : [`within ${nameSpan(maxAge)}`]),
  ]);
  return named.length > 0 ? [...new Set(named)] : ['signed in'];
}

function nameSets(sets: readonly (readonly string[])[]): string {
  return sets.map((set) => set.join(' and ')).join(', or ');
}

const UNITS: readonly [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

function nameSpan(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 's'];
  return `${seconds / size} ${unit}`;
}
