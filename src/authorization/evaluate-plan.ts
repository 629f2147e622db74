// A plan against a caller: refused before execution, or run, with the wall or without.
import type { ExecutionArgs, GraphQLError } from 'graphql';
import { toGraphQLError, withoutStack } from '../errors.ts';
import { type Caller, checkRequirement, type Denial, toAuthError } from './check-requirement.ts';
import { isSelected, type Variables, withDefaults } from './conditions.ts';
import type { EnforcedSchema } from './enforce-schema.ts';
import type { EvaluationCache } from './evaluation-cache.ts';
import { type Plan, toPathArray } from './operation-plan.ts';
import { type DeniedField, evaluatePlan, isEvaluatedEarly } from './policies.ts';

/** What is to be done with an operation. */
export interface Evaluation {
  /** One for each denied place that the operation certainly selects; where there are any, it must not begin. */
  errors: readonly GraphQLError[];
  /** Whether one of the refusals is of `__schema`, `__type` or `__typename`, which have no wall. */
  deniesMetaField: boolean;
  /** Whether the caller meets everything that may be demanded, so that the plain schema gives the same answer. */
  isSatisfied: boolean;
}

export interface PlanEvaluator {
  plan: Plan;
  evaluate(args: ExecutionArgs, caller: Caller): Evaluation | Promise<Evaluation>;
}

export interface PlanEvaluatorOptions {
  /** Whether the refusals set the HTTP status. */
  setsStatus: boolean;
  cache: EvaluationCache<Evaluation>;
}

const SATISFIED: Evaluation = { errors: [], deniesMetaField: false, isSatisfied: true };
const NEEDS_ENFORCEMENT: Evaluation = { errors: [], deniesMetaField: false, isSatisfied: false };
const NO_VARIABLES: Variables = {};

/** Finding the line of a place costs as much as the text before it; beyond so many refusals the path must do. */
const MAX_LOCATED_ERRORS = 25;

/** Of all refusals in an answer, in characters; so long, every place is told of. */
const MAX_ERRORS_LENGTH = 1_000_000;
/** What a refusal takes beside its path. */
const ERROR_LENGTH = 250;

let judges = 0;

/** Judges one operation for request after request, and remembers the refusals it has written out. */
export function createPlanEvaluator(
  plan: Plan,
  { original, policyEvaluator }: EnforcedSchema,
  { setsStatus, cache }: PlanEvaluatorOptions,
): PlanEvaluator {
  judges += 1;
  const id = judges;

  /** The refusals of some places; a field that is selected twice at one place is one. */
  function toErrors(denied: readonly DeniedField[]): Evaluation {
    const distinct = new Map<string, DeniedField & { keys: string[] }>();
    let length = 0;
    for (const one of denied) {
      if (length > MAX_ERRORS_LENGTH) break;
      length += ERROR_LENGTH + one.field.path.length;
      const keys = toPathArray(one.field.path);
      distinct.set(`${keys.join('.')} ${one.field.coordinate}`, { ...one, keys });
    }
    const errors = [...distinct.values()].map(
      ({ denial, keys: path, field: { coordinate, node } }, index) => {
        const nodes = index < MAX_LOCATED_ERRORS ? [node] : undefined;
        return withoutStack(() =>
          toGraphQLError(toAuthError(denial, coordinate), { nodes, path }, setsStatus),
        );
      },
    );
    const deniesMetaField = denied.some(({ field }) => field.node.name.value.startsWith('__'));
    return { errors, deniesMetaField, isSatisfied: false };
  }
  const usesPolicies = plan.unconditional.some(
    ({ requirement, fields }) =>
      policyEvaluator.usesPolicies(requirement) && fields.some((field) => isEvaluatedEarly(plan, field)),
  );
  const mayNeedPolicies =
    policyEvaluator.usesPolicies(plan.perObject) || (usesPolicies && !plan.listsEveryField);

  function writeErrors(denials: readonly (Denial | undefined)[], variables: Variables): Evaluation {
    const key = [
      id,
      ...denials.map((denial) => denial?.key ?? ''),
      ...plan.conditionVariables.map((name) =>
        variables[name] === true || variables[name] === false ? variables[name] : '',
      ),
    ].join('|');
    const known = cache.get(key);
    if (known !== undefined) return known;
    const evaluation = toErrors(
      plan.unconditional.flatMap(({ fields }, index) => {
        const denial = denials[index];
        if (denial === undefined) return [];
        const selected = fields.filter(({ conditions }) => isSelected(conditions, variables));
        return selected.map((field) => ({ denial, field }));
      }),
    );
    return cache.set(key, evaluation);
  }

  function evaluate(args: ExecutionArgs, caller: Caller): Evaluation | Promise<Evaluation> {
    const variables =
      plan.conditionVariables.length === 0
        ? NO_VARIABLES
        : withDefaults(plan.operation, args.variableValues ?? {});
    const denials = plan.unconditional.map(({ requirement }) => checkRequirement(requirement, caller));
    const isDenied = denials.some((denial) => denial !== undefined);
    const denied = isDenied ? writeErrors(denials, variables) : SATISFIED;
    if (denied.errors.length > 0) return denied;
    const needsEnforcement =
      isDenied || mayNeedPolicies || checkRequirement(plan.perObject, caller) !== undefined;
    const evaluation = needsEnforcement ? NEEDS_ENFORCEMENT : SATISFIED;
    if (!usesPolicies || caller.principal === null) return evaluation;
    return evaluatePlan({ plan, original, policyEvaluator, variables }, args, caller.principal).then(
      ({ denied, isComplete }) => {
        if (denied.length > 0) return toErrors(denied);
        return isComplete ? evaluation : NEEDS_ENFORCEMENT;
      },
    );
  }
  return { plan, evaluate };
}
