// Badges with the requirement of a field.
import type { Rule } from '../../authorization/requirement.ts';
import { usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { badgeLabels } from './badge-labels.ts';

const NO_RULES: readonly Rule[] = [];

/** @param coordinate such as `Query.secureData` */
export function Badges({ coordinate }: { coordinate: string }) {
  const { requirements } = usePage();
  const labels = badgeLabels(useValue(requirements.byField)[coordinate] ?? NO_RULES);
  return labels.map((label) => (
    <span key={label} className="bandha-badge" title={`Requires: ${label}`}>
      {label}
    </span>
  ));
}
