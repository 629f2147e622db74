// A plan against a caller: refused before execution, or run, with the wall or without.
import type { ExecutionArgs, GraphQLError } from 'graphql';
import { toGraphQLError, withoutStack } from '../errors.ts';
import { type Caller, checkRequirement, type Denial, refusalOf } from './check-requirement.ts';
import { isSelected, type Variables, withDefaults } from './conditions.ts';
import type { ProtectedSchema } from './enforce-schema.ts';
import type { EvaluationCache } from './evaluation-cache.ts';
import { keysOf, type Plan } from './operation-plan.ts';
import { askPolicies, type DeniedPlace, isEvaluatedEarly } from './policies.ts';

/** What is to be done with an operation. */
export interface Verdict {
  /** One for each denied place that the operation certainly selects; where there are any, it must not begin. */
  refusals: readonly GraphQLError[];
  /** Whether one of the refusals is of `__schema`, `__type` or `__typename`, which have no wall. */
  deniesMetaField: boolean;
  /** Whether the caller meets everything that may be demanded, so that the plain schema gives the same answer. */
  isSatisfied: boolean;
}

export interface Judge {
  plan: Plan;
  judge(args: ExecutionArgs, caller: Caller): Verdict | Promise<Verdict>;
}

export interface JudgeOptions {
  /** Whether the refusals set the HTTP status. */
  setsStatus: boolean;
  kept: EvaluationCache<Verdict>;
}

const SATISFIED: Verdict = { refusals: [], deniesMetaField: false, isSatisfied: true };
const WALLED: Verdict = { refusals: [], deniesMetaField: false, isSatisfied: false };
const NO_VARIABLES: Variables = {};

/** Finding the line of a place costs as much as the text before it; beyond so many refusals the path must do. */
const MAX_LOCATED_REFUSALS = 25;

/** Of all refusals in an answer, in characters; so long, every place is told of. */
const MAX_ANSWER_LENGTH = 1_000_000;
/** What a refusal takes beside its path. */
const REFUSAL_LENGTH = 250;

let judges = 0;

/** Judges one operation for request after request, and remembers the refusals it has written out. */
export function createJudge(
  plan: Plan,
  { plain, policyBook }: ProtectedSchema,
  { setsStatus, kept }: JudgeOptions,
): Judge {
  judges += 1;
  const id = judges;

  /** The refusals of some places; a field that is selected twice at one place is one. */
  function refuse(denied: readonly DeniedPlace[]): Verdict {
    const distinct = new Map<string, DeniedPlace & { keys: string[] }>();
    let length = 0;
    for (const one of denied) {
      if (length > MAX_ANSWER_LENGTH) break;
      length += REFUSAL_LENGTH + one.place.path.length;
      const keys = keysOf(one.place.path);
      distinct.set(`${keys.join('.')} ${one.place.coordinate}`, { ...one, keys });
    }
    const refusals = [...distinct.values()].map(
      ({ denial, keys: path, place: { coordinate, node } }, index) => {
        const nodes = index < MAX_LOCATED_REFUSALS ? [node] : undefined;
        return withoutStack(() => toGraphQLError(refusalOf(denial, coordinate), { nodes, path }, setsStatus));
      },
    );
    const deniesMetaField = denied.some(({ place }) => place.node.name.value.startsWith('__'));
    return { refusals, deniesMetaField, isSatisfied: false };
  }
  const asksPolicies = plan.certain.some(
    ({ requirement, places }) =>
      policyBook.concerns(requirement) && places.some((place) => isEvaluatedEarly(plan, place)),
  );
  const mayAskLater = policyBook.concerns(plan.dependent) || (asksPolicies && !plan.isListed);

  function writeRefusals(denials: readonly (Denial | undefined)[], variables: Variables): Verdict {
    const key = [
      id,
      ...denials.map((denial) => denial?.key ?? ''),
      ...plan.conditionVariables.map((name) =>
        variables[name] === true || variables[name] === false ? variables[name] : '',
      ),
    ].join('|');
    const known = kept.get(key);
    if (known !== undefined) return known;
    const verdict = refuse(
      plan.certain.flatMap(({ places }, index) => {
        const denial = denials[index];
        if (denial === undefined) return [];
        const selected = places.filter(({ conditions }) => isSelected(conditions, variables));
        return selected.map((place) => ({ denial, place }));
      }),
    );
    return kept.set(key, verdict);
  }

  function judge(args: ExecutionArgs, caller: Caller): Verdict | Promise<Verdict> {
    const variables =
      plan.conditionVariables.length === 0
        ? NO_VARIABLES
        : withDefaults(plan.operation, args.variableValues ?? {});
    const denials = plan.certain.map(({ requirement }) => checkRequirement(requirement, caller));
    const isDenied = denials.some((denial) => denial !== undefined);
    const refused = isDenied ? writeRefusals(denials, variables) : SATISFIED;
    if (refused.refusals.length > 0) return refused;
    const needsWall = isDenied || mayAskLater || checkRequirement(plan.dependent, caller) !== undefined;
    const verdict = needsWall ? WALLED : SATISFIED;
    if (!asksPolicies || caller.principal === null) return verdict;
    return askPolicies({ plan, plain, policyBook, variables }, args, caller.principal).then(
      ({ denied, isComplete }) => {
        if (denied.length > 0) return refuse(denied);
        return isComplete ? verdict : WALLED;
      },
    );
  }
  return { plan, judge };
}
