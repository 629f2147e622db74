// Evaluates policies: the application's own functions that decide by caller, field arguments and context.
//
// Results are reused within one request; within one event of a subscription; within one root field of a mutation.
import {
  type ExecutionArgs,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isUnionType,
} from 'graphql';
import type { Principal } from '../tokens/principal.ts';
import type { Log } from '../utils/log.ts';
import { withTimeout } from '../utils/with-timeout.ts';
import { type Denial, POLICY_DENIED } from './check-requirement.ts';
import { isSelected, type Variables } from './conditions.ts';
import { type Plan, type PlannedField, toRootKey } from './operation-plan.ts';
import type { Requirement } from './requirement.ts';

/** The input of a policy: a field that a signed-in caller wants to read. */
export interface PolicyInput {
  /** The caller. Policies are not evaluated for anonymous callers, whom their rules deny anyway. */
  principal: Principal;
  /** The field's arguments, coerced and with their default values. */
  args: Readonly<Record<string, unknown>>;
  /** The name of the field in its type, such as `order`. For a policy on a type, the field that returns the type. */
  fieldName: string;
  /** The context of the request: the object that resolvers receive. */
  context: unknown;
}

/**
 * A rule of the application, named by `@auth(policies:)` or `@policy(policies:)`. It allows access by returning or resolving to
 * `true`. Every other value denies with `FORBIDDEN`, reason `POLICY_DENIED`, and so does a policy that throws, rejects or takes
 * longer than 10 seconds; these are logged.
 *
 * Called only for signed-in callers who meet the field's other rules; with `reportOnly`, for every signed-in caller. All
 * policies of a query are evaluated in parallel before it begins, as far as its text determines the fields. Fields with the same
 * name and arguments share one call in a request, in an event of a subscription, and in a root field of a mutation.
 *
 * @example const ownsOrder: Policy = ({ principal, args }) => orders.isOwner(args.id, principal.userId)
 */
export type Policy = (input: PolicyInput) => boolean | Promise<boolean>;

export interface PolicyEvaluator {
  /** Whether one of the requirement's rules names policies. */
  usesPolicies(requirement: Requirement): boolean;
  /**
   * Evaluates the policies of a requirement, all at once.
   *
   * @param phase part of the operation within which equal calls share one result: a mutation's root field, by its response
   *   key, and otherwise `''`
   * @returns whether, for each rule that names policies, every policy of at least one set returned `true`
   */
  evaluate(requirement: Requirement, input: PolicyInput, phase: string): Promise<boolean>;
  /** Drops the results for a context: before the next event of a subscription, or the next operation with the same context. */
  forget(context: unknown): void;
}

/** A field that the caller is denied. */
export interface DeniedField {
  field: PlannedField;
  denial: Denial;
}

export interface PolicyResult {
  denied: readonly DeniedField[];
  /** Whether the policies of every field were evaluated. The rest is left to the checks during execution. */
  isComplete: boolean;
}

const POLICY_TIMEOUT_MS = 10_000;

/** One error is enough to stop, and graphql-js prints the whole value for each. */
const FIRST_ERROR_ONLY = { maxErrors: 1, hideSuggestions: true };

/** @param log receives policies that throw, reject or time out */
export function createPolicyEvaluator(
  policies: Readonly<Record<string, Policy>>,
  log: Pick<Log, 'warn'>,
): PolicyEvaluator {
  const resultsByContext = new WeakMap<object, Map<string, Promise<boolean>>>();

  async function evaluatePolicy(policy: string, input: PolicyInput): Promise<boolean> {
    try {
      const result = Promise.try(() => policies[policy]?.(input));
      return (await withTimeout(result, POLICY_TIMEOUT_MS)) === true;
    } catch (err) {
      log.warn({ policy, fieldName: input.fieldName, err }, 'policy failed; access denied');
      return false;
    }
  }

  /** Shares one result among equal calls of a phase. */
  function evaluateOnce(policy: string, input: PolicyInput, phase: string): Promise<boolean> {
    const { context, fieldName, args } = input;
    const key = toKey([phase, policy, fieldName, args]);
    if (key === undefined || typeof context !== 'object' || context === null)
      return evaluatePolicy(policy, input);
    const results = resultsByContext.get(context) ?? new Map<string, Promise<boolean>>();
    resultsByContext.set(context, results);
    const result = results.get(key) ?? evaluatePolicy(policy, input);
    results.set(key, result);
    return result;
  }

  return {
    usesPolicies: (requirement) => requirement.some((rule) => rule.policies !== undefined),
    async evaluate(requirement, input, phase) {
      const allowed = await Promise.all(
        requirement.map(async ({ policies: sets }) => {
          if (sets === undefined) return true;
          const results = await Promise.all(
            sets.map((set) => Promise.all(set.map((policy) => evaluateOnce(policy, input, phase)))),
          );
          return results.some((set) => set.every((isAllowed) => isAllowed));
        }),
      );
      return allowed.every((isAllowed) => isAllowed);
    },
    forget(context) {
      if (typeof context === 'object' && context !== null) resultsByContext.delete(context);
    },
  };
}

/**
 * Whether a field's policies are evaluated before the operation begins: those of every field of a query, those of the root
 * field of a subscription, and those of a mutation with a single root field. A mutation's other root fields wait until they
 * are executed, as the fields before them may change data that the policy reads. Fields below the root wait as well: they
 * apply to the data after the change.
 */
export function isEvaluatedEarly({ operation, rootKeys }: Plan, { path }: PlannedField): boolean {
  if (operation.operation === 'query') return true;
  return path.prev === undefined && (operation.operation === 'subscription' || rootKeys === 1);
}

/** Evaluates, in parallel, the policies of a plan that are decided before the operation begins. */
export async function evaluatePlanPolicies(
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
  const coerced = getVariableValues(original, definitions, variableValues ?? {}, FIRST_ERROR_ONLY);
  // The executor reports the invalid variables and runs nothing.
  if (coerced.variableValues === undefined) return { denied: [], isComplete: false };
  let isComplete = true;
  const inputs = plan.unconditional
    .filter(({ requirement }) => policyEvaluator.usesPolicies(requirement))
    .flatMap(({ requirement, fields }) => fields.map((field) => ({ requirement, field })))
    .filter(({ field }) => isEvaluatedEarly(plan, field) && isSelected(field.conditions, variables));
  const results = await Promise.all(
    inputs.map(async ({ requirement, field }) => {
      const args = coerceArguments(field, coerced.variableValues);
      if (args === undefined) {
        isComplete = false;
        return [];
      }
      const input = { principal, args, fieldName: field.node.name.value, context };
      const phase = plan.operation.operation === 'mutation' ? toRootKey(field.path) : '';
      return (await policyEvaluator.evaluate(requirement, input, phase))
        ? []
        : [{ field, denial: POLICY_DENIED }];
    }),
  );
  return { denied: results.flat(), isComplete };
}

/** @returns undefined if the arguments are invalid, which the executor reports */
function coerceArguments(
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

/** @returns undefined for arguments that JSON cannot represent, such as uploads: their policies are evaluated each time */
function toKey(parts: unknown): string | undefined {
  let isRepresentable = true;
  try {
    const key = JSON.stringify(parts, (_, value) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        const prototype = Object.getPrototypeOf(value);
        if (prototype !== Object.prototype && prototype !== null) isRepresentable = false;
      }
      return value;
    });
    return isRepresentable ? key : undefined;
  } catch {
    return undefined;
  }
}
