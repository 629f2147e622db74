// The policies of an operation, asked before it begins and all at once.
import {
  type ExecutionArgs,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isUnionType,
} from 'graphql';
import type { Principal } from '../tokens/principal.ts';
import { type Denial, POLICY_DENIED } from './check-requirement.ts';
import { isSelected, type Variables } from './conditions.ts';
import type { Place, Plan } from './plan-operation.ts';
import type { PolicyBook } from './policies.ts';

/** A place that the caller may not have. */
export interface DeniedPlace {
  place: Place;
  denial: Denial;
}

export interface PolicyVerdict {
  denied: readonly DeniedPlace[];
  /** Whether every place was asked about; what was not is left to the wall. */
  isComplete: boolean;
}

export async function askPolicies(
  {
    plan,
    plain,
    policyBook,
    variables,
  }: { plan: Plan; plain: GraphQLSchema; policyBook: PolicyBook; variables: Variables },
  { variableValues, contextValue: context }: ExecutionArgs,
  principal: Principal,
): Promise<PolicyVerdict> {
  const coerced = getVariableValues(plain, plan.operation.variableDefinitions ?? [], variableValues ?? {});
  // The executor will say what is wrong with the variables.
  if (coerced.variableValues === undefined) return { denied: [], isComplete: false };
  let isComplete = true;
  const asked = plan.certain
    .filter(({ requirement }) => policyBook.concerns(requirement))
    .flatMap(({ requirement, places }) => places.map((place) => ({ requirement, place })))
    .filter(({ place }) => isSelected(place.conditions, variables));
  const answers = await Promise.all(
    asked.map(async ({ requirement, place }) => {
      const args = argumentsOf(place, coerced.variableValues);
      if (args === undefined) {
        isComplete = false;
        return [];
      }
      const question = { principal, args, fieldName: place.node.name.value, context };
      return (await policyBook.allow(requirement, question)) ? [] : [{ place, denial: POLICY_DENIED }];
    }),
  );
  return { denied: answers.flat(), isComplete };
}

/** @returns undefined where the arguments have faults that the executor will name */
function argumentsOf(
  { parentType, node }: Place,
  variableValues: Parameters<typeof getArgumentValues>[2],
): Record<string, unknown> | undefined {
  const field = isUnionType(parentType) ? undefined : parentType.getFields()[node.name.value];
  try {
    return field === undefined ? {} : getArgumentValues(field, node, variableValues);
  } catch {
    return undefined;
  }
}
