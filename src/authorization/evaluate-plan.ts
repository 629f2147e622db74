// Decides an operation before it begins: compares its plan with the caller. It is rejected, run unchecked, or run with checks.
import type { ExecutionArgs, GraphQLError } from 'graphql';
import { toGraphQLError, withoutStack } from '../errors.ts';
import { type Caller, checkRequirement, type Denial, toAuthError } from './check-requirement.ts';
import { isSelected, type Variables, withDefaults } from './conditions.ts';
import type { EnforcedSchema } from './enforce-schema.ts';
import type { EvaluationCache } from './evaluation-cache.ts';
import { type Plan, toPathArray } from './operation-plan.ts';
import { type DeniedField, evaluatePlanPolicies, isEvaluatedEarly } from './policies.ts';

/** The outcome for one operation and one caller. */
export interface Evaluation {
  /** One error for each denied field that the operation selects unconditionally. If there are any, it must not run unchecked. */
  errors: readonly GraphQLError[];
  /** Whether one of the errors is for `__schema`, `__type` or `__typename`, which have no resolver that could check. */
  deniesMetaField: boolean;
  /** Whether the caller meets every requirement that could apply, so that the original schema gives the same result. */
  isSatisfied: boolean;
}

export interface PlanEvaluator {
  plan: Plan;
  /** @returns a promise only if policies have to be evaluated */
  evaluate(args: ExecutionArgs, caller: Caller): Evaluation | Promise<Evaluation>;
}

export interface PlanEvaluatorOptions {
  /** Whether the errors set the HTTP status. */
  setsStatus: boolean;
  cache: EvaluationCache<Evaluation>;
}

const SATISFIED: Evaluation = { errors: [], deniesMetaField: false, isSatisfied: true };
const NEEDS_ENFORCEMENT: Evaluation = { errors: [], deniesMetaField: false, isSatisfied: false };
const NO_VARIABLES: Variables = {};

/** Errors with `locations`; the others have only their `path`. Computing a location reads the whole document up to it. */
const MAX_LOCATED_ERRORS = 25;

/** Maximum total length of the errors in one response, in characters. Denied fields beyond it are not listed. */
const MAX_ERRORS_LENGTH = 1_000_000;
/** Length of one error without its path, in characters. */
const ERROR_LENGTH = 250;

/** Creates the evaluator of one operation, which is used for every request with the operation and caches its errors. */
export function createPlanEvaluator(
  plan: Plan,
  { original, policyEvaluator }: EnforcedSchema,
  { setsStatus, cache }: PlanEvaluatorOptions,
): PlanEvaluator {
  const planId = cache.createPlanId();
  const usesPolicies = plan.unconditional.some(
    ({ requirement, fields }) =>
      policyEvaluator.usesPolicies(requirement) && fields.some((field) => isEvaluatedEarly(plan, field)),
  );
  const mayNeedPolicies =
    policyEvaluator.usesPolicies(plan.perObject) || (usesPolicies && !plan.listsEveryField);

  function evaluate(args: ExecutionArgs, caller: Caller): Evaluation | Promise<Evaluation> {
    const variables =
      plan.conditionVariables.length === 0
        ? NO_VARIABLES
        : withDefaults(plan.operation, args.variableValues ?? {});
    const denials = plan.unconditional.map(({ requirement }) => checkRequirement(requirement, caller));
    const isDenied = denials.some((denial) => denial !== undefined);
    const evaluated = isDenied ? findErrors(denials, variables) : SATISFIED;
    if (evaluated.errors.length > 0) return evaluated;
    const needsEnforcement =
      isDenied || mayNeedPolicies || checkRequirement(plan.perObject, caller) !== undefined;
    const evaluation = needsEnforcement ? NEEDS_ENFORCEMENT : SATISFIED;
    if (!usesPolicies || caller.principal === null) return evaluation;
    return evaluatePlanPolicies({ plan, original, policyEvaluator, variables }, args, caller.principal).then(
      ({ denied, isComplete }) => {
        if (denied.length > 0) return toErrors(denied, setsStatus);
        return isComplete ? evaluation : NEEDS_ENFORCEMENT;
      },
    );
  }

  /** Cached by everything that the errors depend on: the plan, the denials, and the variables of `@skip` and `@include`. */
  function findErrors(denials: readonly (Denial | undefined)[], variables: Variables): Evaluation {
    const key = [
      planId,
      ...denials.map((denial) => denial?.key ?? ''),
      ...plan.conditionVariables.map((name) =>
        variables[name] === true || variables[name] === false ? variables[name] : '',
      ),
    ].join('|');
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const denied = plan.unconditional.flatMap(({ fields }, index) => {
      const denial = denials[index];
      if (denial === undefined) return [];
      const selected = fields.filter(({ conditions }) => isSelected(conditions, variables));
      return selected.map((field) => ({ denial, field }));
    });
    return cache.set(key, toErrors(denied, setsStatus));
  }

  return { plan, evaluate };
}

/** Creates one error for each path and coordinate: a field that is selected twice under one response key is one error. */
function toErrors(denied: readonly DeniedField[], setsStatus: boolean): Evaluation {
  const distinct = new Map<string, DeniedField & { path: string[] }>();
  let length = 0;
  for (const { field, denial } of denied) {
    if (length > MAX_ERRORS_LENGTH) break;
    length += ERROR_LENGTH + field.path.length;
    const path = toPathArray(field.path);
    distinct.set(`${path.join('.')} ${field.coordinate}`, { field, denial, path });
  }
  const errors = [...distinct.values()].map(({ denial, path, field: { coordinate, node } }, index) => {
    const nodes = index < MAX_LOCATED_ERRORS ? [node] : undefined;
    return withoutStack(() => toGraphQLError(toAuthError(denial, coordinate), { nodes, path }, setsStatus));
  });
  const deniesMetaField = denied.some(({ field }) => field.node.name.value.startsWith('__'));
  return { errors, deniesMetaField, isSatisfied: false };
}
