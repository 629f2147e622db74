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
import type { Requirement } from './directives.ts';
import { type Plan, type PlannedField, rootKeyOf } from './operation-plan.ts';

/** A place that the caller may not have. */
export interface DeniedField {
  field: PlannedField;
  denial: Denial;
}

export interface PolicyResult {
  denied: readonly DeniedField[];
  /** Whether every place was asked about; what was not is left to the wall. */
  isComplete: boolean;
}

/**
 * Whether a field's policies are evaluated before the operation begins: all of a query's, those of the root field of a
 * subscription, and those of a mutation's only root field. Any other field of a mutation is evaluated when its turn comes, as
 * the fields before it may change what the policy looks at, and below the root there is nothing to look at yet.
 */
export function isEvaluatedEarly({ operation, rootKeys }: Plan, { path }: PlannedField): boolean {
  if (operation.operation === 'query') return true;
  return path.prev === undefined && (operation.operation === 'subscription' || rootKeys === 1);
}

/** Each error takes as long as writing out the value. */
const FIRST_ERROR = { maxErrors: 1, hideSuggestions: true };

export async function evaluatePlan(
  {
    plan,
    original,
    policyEvaluator,
    variables,
  }: { plan: Plan; original: GraphQLSchema; policyEvaluator: PolicyEvaluator; variables: Variables },
  { variableValues, contextValue: context }: ExecutionArgs,
  principal: Principal,
): Promise<PolicyResult> {
  const definitions = plan.operation.variableDefinitions ?? [];
  const coerced = getVariableValues(original, definitions, variableValues ?? {}, FIRST_ERROR);
  // The executor will say what is wrong with the variables.
  if (coerced.variableValues === undefined) return { denied: [], isComplete: false };
  let isComplete = true;
  const inputs = plan.unconditional
    .filter(({ requirement }) => policyEvaluator.usesPolicies(requirement))
    .flatMap(({ requirement, fields }) => fields.map((field) => ({ requirement, field })))
    .filter(({ field }) => isEvaluatedEarly(plan, field) && isSelected(field.conditions, variables));
  const results = await Promise.all(
    inputs.map(async ({ requirement, field }) => {
      const args = argumentsOf(field, coerced.variableValues);
      if (args === undefined) {
        isComplete = false;
        return [];
      }
      const input = { principal, args, fieldName: field.node.name.value, context };
      const evaluationOrder = plan.operation.operation === 'mutation' ? rootKeyOf(field.path) : '';
      return (await policyEvaluator.evaluate(requirement, input, evaluationOrder))
        ? []
        : [{ field, denial: POLICY_DENIED }];
    }),
  );
  return { denied: results.flat(), isComplete };
}

/** @returns undefined where the arguments have faults that the executor will name */
function argumentsOf(
  { parentType, node }: PlannedField,
  variableValues: Parameters<typeof getArgumentValues>[2],
): Record<string, unknown> | undefined {
  const field = isUnionType(parentType) ? undefined : parentType.getFields()[node.name.value];
  try {
    return field === undefined ? {} : getArgumentValues(field, node, variableValues);
  } catch {
    return undefined;
  }
}

// Policies: the application's own functions of a caller and a field's arguments, each evaluated once a request, once an event of a
// subscription, and once a root field of a mutation.

/** The arguments of a policy. */
export interface PolicyInput {
  /** The caller; a policy is never evaluated for an anonymous one. */
  principal: Principal;
  /** The field's arguments, coerced, defaults included. */
  args: Readonly<Record<string, unknown>>;
  /** The name of the field that has the policy in its directive. */
  fieldName: string;
  /** The request's context; the same object that resolvers get. */
  context: unknown;
}

/** Allows access by returning `true`. Any other result, an error, or taking longer than 10 seconds denies it. */
export type Policy = (input: PolicyInput) => boolean | Promise<boolean>;

export interface PolicyEvaluator {
  /** Whether a requirement has policies at all. */
  usesPolicies(requirement: Requirement): boolean;
  /**
   * Whether, for each rule of the requirement that names policies, every one of any set says yes.
   * @param evaluationOrder results of the same turn are used again for equal questions; see `turnOf`
   */
  evaluate(requirement: Requirement, input: PolicyInput, evaluationOrder: string): Promise<boolean>;
  /** Results so far do not count for what comes: the next event of a subscription. */
  forget(context: unknown): void;
}

/** How long a policy may take; in milliseconds. */
const POLICY_TIMEOUT_MS = 10_000;

/** @param warn is told of policies that throw or take too long */
export function createPolicyEvaluator(
  policies: Readonly<Record<string, Policy>>,
  warn: (message: string, error: unknown) => void,
): PolicyEvaluator {
  const inputs = new WeakMap<object, Map<string, Promise<boolean>>>();

  async function evaluatePolicy(name: string, input: PolicyInput): Promise<boolean> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`takes longer than ${POLICY_TIMEOUT_MS} ms`)),
      POLICY_TIMEOUT_MS,
    );
    try {
      return (await Promise.race([policies[name]?.(input), late])) === true;
    } catch (error) {
      warn(`The policy "${name}" failed for ${input.fieldName}, so it denies`, error);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** One result for each policy, field and arguments of a turn. */
  function evaluateOnce(name: string, input: PolicyInput, evaluationOrder: string): Promise<boolean> {
    const { context, fieldName, args } = input;
    const key = keyOf([evaluationOrder, name, fieldName, args]);
    if (key === undefined || typeof context !== 'object' || context === null)
      return evaluatePolicy(name, input);
    const results = inputs.get(context) ?? new Map<string, Promise<boolean>>();
    inputs.set(context, results);
    const result = results.get(key) ?? evaluatePolicy(name, input);
    results.set(key, result);
    return result;
  }

  return {
    usesPolicies: (requirement) => requirement.some((rule) => rule.policies !== undefined),
    async evaluate(requirement, input, evaluationOrder) {
      const verdicts = await Promise.all(
        requirement.map(async ({ policies: sets }) => {
          if (sets === undefined) return true;
          const results = await Promise.all(
            sets.map((set) => Promise.all(set.map((name) => evaluateOnce(name, input, evaluationOrder)))),
          );
          return results.some((set) => set.every((yes) => yes));
        }),
      );
      return verdicts.every((yes) => yes);
    },
    forget(context) {
      if (typeof context === 'object' && context !== null) inputs.delete(context);
    },
  };
}

/** Arguments that JSON cannot hold, such as uploads, have no key: they are asked about each time. */
function keyOf(parts: unknown): string | undefined {
  let isSimple = true;
  try {
    const key = JSON.stringify(parts, (_, value) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        const prototype = Object.getPrototypeOf(value);
        if (prototype !== Object.prototype && prototype !== null) isSimple = false;
      }
      return value;
    });
    return isSimple ? key : undefined;
  } catch {
    return undefined;
  }
}
