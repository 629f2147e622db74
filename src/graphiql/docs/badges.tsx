// What a field needs, beside its name.
import type { Rule } from '../../authorization/directives.ts';
import { usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { badgeLabels } from './badge-labels.ts';

const NOTHING: readonly Rule[] = [];

/** @param coordinate such as `Query.secureData` */
export function Badges({ coordinate }: { coordinate: string }) {
  const { requirements } = usePage();
  const names = badgeLabels(useValue(requirements.known)[coordinate] ?? NOTHING);
  return names.map((name) => (
    <span key={name} className="bandha-badge" title={`Needs: ${name}`}>
      {name}
    </span>
  ));
}
