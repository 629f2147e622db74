// Converts the requirement of a field to the labels of its badges.
import type { Rule } from '../../authorization/requirement.ts';

/** Returns labels such as `['role admin or auditor', 'within 5 min']`; `['signed in']` if a signed-in caller is enough. */
export function badgeLabels(requirement: readonly Rule[]): string[] {
  if (requirement.length === 0) return [];
  const labels = requirement.flatMap(({ roles, scopes, policies, maxAge }) => [
    ...(roles ? [`role ${roles.join(' or ')}`] : []),
    ...(scopes ? [`scope ${formatSets(scopes)}`] : []),
    ...(policies ? [`policy ${formatSets(policies)}`] : []),
    ...(maxAge === undefined ? [] : [`within ${formatDuration(maxAge)}`]),
  ]);
  return labels.length > 0 ? [...new Set(labels)] : ['signed in'];
}

function formatSets(sets: readonly (readonly string[])[]): string {
  return sets.map((set) => set.join(' and ')).join(', or ');
}

const UNITS: readonly [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

function formatDuration(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 's'];
  return `${seconds / size} ${unit}`;
}
