// The guard behind every door: for each operation, the schema to run it on, or the answer that refuses it.
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { ConfigError, toGraphQLError } from '../errors.ts';
import { assertLog } from '../log.ts';
import { type Caller, checkRequirement, refusalOf } from './check-requirement.ts';
import { createEvaluationCache } from './evaluation-cache.ts';
import { createJudge, type Judge, type Verdict } from './judge-plan.ts';
import { type Plan, planOperation } from './plan-operation.ts';
import { callerOf, type ProtectedSchema, type ProtectOptions, protectSchema } from './protect-schema.ts';

export interface DecisionOptions extends ProtectOptions {
  /**
   * `reject` (default): the operation does not begin, and the answer has no `data`. `null`: a denied field is null with
   * an error of its own, everything else is delivered.
   */
  onDenied?: 'reject' | 'null';
  /** `usable`: callers see the types and fields that they may use. Default `all`. */
  introspection?: 'all' | 'usable';
}

/** Run the operation on this schema, or answer at once. */
export type Decision = { schema: GraphQLSchema } | { answer: ExecutionResult };

/** Decides one request. */
export interface Decide {
  (args: ExecutionArgs): Decision | Promise<Decision>;
  /** Fields of the operation plan that it retains. */
  readonly plannedFields?: number;
}

export interface Guard {
  /** @throws ConfigError where a directive makes no rule or names an unknown policy */
  protect(schema: GraphQLSchema): ProtectedSchema;
  /** Reads an operation once, so that request after request of it is decided by what comes back. */
  prepare(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): Decide;
  /** The same for one request; what was read of its operation before is found again. */
  decide: Decide;
}

/** What the guard keeps for each schema it meets. */
interface Guarded extends ProtectedSchema {
  /** A plan depends on the whole document: another one may have the same operation and other fragments. */
  decides: WeakMap<DocumentNode, Map<OperationDefinitionNode, Decide>>;
}

/** @throws ConfigError where an option is none of its choices */
export function createGuard(options: DecisionOptions = {}): Guard {
  const { onDenied = 'reject', introspection = 'all', default: otherwise = 'allow' } = options;
  assertOneOf('onDenied', onDenied, ['reject', 'null']);
  assertOneOf('introspection', introspection, ['all', 'usable']);
  assertOneOf('default', otherwise, ['allow', 'deny']);
  if (options.log !== undefined) assertLog(options.log, ['warn']);
  const guards = new WeakMap<GraphQLSchema, Guarded>();
  const kept = createEvaluationCache<Verdict>();

  function protect(schema: GraphQLSchema): Guarded {
    const known = guards.get(schema);
    if (known !== undefined) return known;
    const protectedSchema = protectSchema(schema, options);
    const guarded = { ...protectedSchema, decides: new WeakMap() };
    guards.set(guarded.plain, guarded);
    guards.set(guarded.walled, guarded);
    return guarded;
  }

  /** What is the same for each request that has the operation. */
  function createDecide(guarded: Guarded, { plan, judge }: Judge): Decide {
    const onPlain: Decision = { schema: guarded.plain };
    const onWalled: Decision = { schema: guarded.walled };

    function conclude({ refusals, deniesMetaField, isSatisfied }: Verdict, caller: Caller): Decision {
      if (refusals.length > 0) {
        if (onDenied === 'reject') return { answer: { errors: refusals } };
        // Meta-fields have no wall, and a schema filtered for the caller lacks the fields that are denied.
        const isMixed = introspection === 'usable' && plan.introspection === 'mixed';
        if (deniesMetaField || isMixed) return { answer: { data: null, errors: refusals } };
      }
      if (introspection === 'usable' && plan.introspection !== 'none') {
        return introspect(guarded, plan, caller);
      }
      return isSatisfied ? onPlain : onWalled;
    }

    const decide = (args: ExecutionArgs) => {
      const caller = callerOf(args.contextValue, guarded.now);
      if (guarded.isReporting) return report(guarded, plan, caller);
      const verdict = judge(args, caller);
      return verdict instanceof Promise
        ? verdict.then((late) => conclude(late, caller))
        : conclude(verdict, caller);
    };
    const plannedFields = plan.certain.reduce((sum, { places }) => sum + places.length, 0);
    return Object.assign(decide, { plannedFields });
  }

  function prepare(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null | undefined,
  ): Decide {
    const guarded = protect(schema);
    const operation = getOperationAST(document, operationName);
    if (!operation) return () => ({ schema: guarded.walled }); // the executor says so
    const ofDocument = guarded.decides.get(document) ?? new Map<OperationDefinitionNode, Decide>();
    const known = ofDocument.get(operation);
    if (known !== undefined) return known;
    const plan = planOperation(guarded.plain, guarded.rulebook, document, operation);
    const judge = createJudge(plan, guarded, { setsStatus: onDenied === 'reject', kept });
    const decide = createDecide(guarded, judge);
    guarded.decides.set(document, ofDocument.set(operation, decide));
    return decide;
  }

  return {
    protect,
    prepare,
    decide: (args) => prepare(args.schema, args.document, args.operationName)(args),
  };
}

/** A misspelt choice must not leave open what was meant to be closed. */
function assertOneOf(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) throw new ConfigError([`${name}: must be one of ${choices.join(', ')}`]);
}

/** The wall lets everything through and says so; meta-fields have none, so that is said here. */
function report({ walled, log }: Guarded, plan: Plan, caller: Caller): Decision {
  for (const { requirement, places } of plan.certain) {
    const denial = checkRequirement(requirement, caller);
    const metaFields = places.filter(({ node }) => node.name.value.startsWith('__'));
    if (denial === undefined) continue;
    for (const { coordinate } of metaFields)
      log.warn({ coordinate, reason: denial.reason }, 'would be refused');
  }
  return { schema: walled };
}

/** Shows the caller the schema that is the caller's. */
function introspect({ rulebook, visibleTo }: Guarded, plan: Plan, caller: Caller): Decision {
  const denials = rulebook.rules.flatMap((rule) => checkRequirement([rule], caller) ?? []);
  const [denial] = denials;
  if (denial !== undefined && plan.introspection === 'mixed') {
    // Data needs the types that the caller's schema leaves out.
    return { answer: { errors: [mixedIntrospection()] } };
  }
  const schema = visibleTo(caller);
  if (schema !== undefined) return { schema };
  if (denial === undefined) throw new Error('A schema that is open to the caller has nothing to show');
  return { answer: { errors: [toGraphQLError(refusalOf(denial, 'Query.__schema'), {}, true)] } };
}

function mixedIntrospection(): GraphQLError {
  return new GraphQLError('Ask for __schema and __type in an operation of their own.', {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
