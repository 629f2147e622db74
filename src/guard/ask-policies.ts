// The policies of an operation that are evaluated before it begins, all at once.
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
import { type Place, type Plan, rootKeyOf } from './plan-operation.ts';
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

/**
 * Whether a field's policies are evaluated before the operation begins: all of a query's, those of the root field of a
 * subscription, and those of a mutation's only root field. Any other field of a mutation is evaluated when its turn comes, as
 * the fields before it may change what the policy looks at, and below the root there is nothing to look at yet.
 */
export function isEvaluatedEarly({ operation, rootKeys }: Plan, { path }: Place): boolean {
  if (operation.operation === 'query') return true;
  return path.prev === undefined && (operation.operation === 'subscription' || rootKeys === 1);
}

/** Each error takes as long as writing out the value. */
const FIRST_ERROR = { maxErrors: 1, hideSuggestions: true };

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
  const definitions = plan.operation.variableDefinitions ?? [];
  const coerced = getVariableValues(plain, definitions, variableValues ?? {}, FIRST_ERROR);
  // The executor will say what is wrong with the variables.
  if (coerced.variableValues === undefined) return { denied: [], isComplete: false };
  let isComplete = true;
  const asked = plan.certain
    .filter(({ requirement }) => policyBook.concerns(requirement))
    .flatMap(({ requirement, places }) => places.map((place) => ({ requirement, place })))
    .filter(({ place }) => isEvaluatedEarly(plan, place) && isSelected(place.conditions, variables));
  const answers = await Promise.all(
    asked.map(async ({ requirement, place }) => {
      const args = argumentsOf(place, coerced.variableValues);
      if (args === undefined) {
        isComplete = false;
        return [];
      }
      const question = { principal, args, fieldName: place.node.name.value, context };
      const turn = plan.operation.operation === 'mutation' ? rootKeyOf(place.path) : '';
      return (await policyBook.allow(requirement, question, turn)) ? [] : [{ place, denial: POLICY_DENIED }];
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
