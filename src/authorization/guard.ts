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
import { toGraphQLError } from '../errors.ts';
import { forgetPrincipal, hasReadPrincipal } from '../tokens/context-principal.ts';
import { type Caller, checkRequirement, toAuthError } from './check-requirement.ts';
import { copySchema, isCopied } from './copy-schema.ts';
import { callerOf, type EnforcedSchema, enforceSchema, findEnforced } from './enforce-schema.ts';
import { createPlanEvaluator, type Evaluation, type PlanEvaluator } from './evaluate-plan.ts';
import { createEvaluationCache } from './evaluation-cache.ts';
import { assertGuardOptions, assertSameOptions, type GuardSettings } from './guard-options.ts';
import { type Plan, planOperation } from './operation-plan.ts';
import { createDocuments, type Documents } from './schema-documents.ts';

/** Run the operation on this schema, or answer at once. */
export type Decision = { schema: GraphQLSchema } | { result: ExecutionResult };

/** Decides one request. */
export interface Decide {
  (args: ExecutionArgs): Decision | Promise<Decision>;
  /** Fields of the operation plan that it retains. */
  readonly plannedFields?: number;
}

export interface Guard {
  /** As they were given. */
  options: GuardSettings;
  /** @throws ConfigError if a directive makes no rule, names an unknown policy, or the schema is enforced with other options */
  protect(schema: GraphQLSchema): EnforcedSchema;
  /** The schema that other plugins see and may change: a copy without checks; a schema that is no one else's is not copied. */
  schemaFor(schema: GraphQLSchema): GraphQLSchema;
  /** Other plugins may have changed resolvers; the next decision looks. */
  expectChanges(): void;
  /** Reads an operation once, so that request after request of it is decided by what comes back. */
  prepare(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): Decide;
  /** The same for one request; what was read of its operation before is found again. */
  decide: Decide;
  documentFor: Documents['documentFor'];
}

/** What the guard keeps for each schema it meets. */
interface GuardedSchema {
  schema: EnforcedSchema;
  /** A plan depends on the whole document: another one may have the same operation and other fragments. */
  decides: WeakMap<DocumentNode, Map<OperationDefinitionNode, Decide>>;
  /** Which of the announced changes have been looked for. */
  changes: number;
}

/** Planned fields that are kept with one document; they retain about 160 bytes each. */
const MAX_PLANNED_FIELDS = 5_000;
/** What a plan without fields counts as. */
const EMPTY_PLAN_FIELDS = 10;

/** @throws ConfigError if an option is none of its choices */
export function createGuard(options: GuardSettings = {}): Guard {
  assertGuardOptions(options);
  const { onDenied = 'reject', introspection = 'all' } = options;
  const guards = new WeakMap<GraphQLSchema, GuardedSchema>();
  const copies = new WeakMap<GraphQLSchema, GraphQLSchema>();
  const kept = createEvaluationCache<Evaluation>();
  const begun = new WeakSet<ExecutionArgs>();
  let changes = 0;
  const { documentFor, originalOf } = createDocuments(
    (schema) => guards.get(schema)?.schema.original === schema,
  );

  function find(schema: GraphQLSchema): GuardedSchema {
    const known = guards.get(schema);
    if (known !== undefined) return known;
    const enforced = findEnforced(schema);
    if (enforced !== undefined) assertSameOptions(enforced.options, options);
    const protectedSchema = enforced ?? enforceSchema(schema, options);
    const guarded = guards.get(protectedSchema.original) ?? {
      schema: protectedSchema,
      decides: new WeakMap(),
      changes,
    };
    guards.set(guarded.schema.original, guarded);
    guards.set(schema, guarded);
    return guarded;
  }

  function schemaFor(schema: GraphQLSchema): GraphQLSchema {
    if (isCopied(schema) || findEnforced(schema) !== undefined) return find(schema).schema.original;
    const copy = copies.get(schema) ?? copySchema(schema);
    copies.set(schema, copy);
    return find(copy).schema.original;
  }

  /** What is the same for each request that has the operation. */
  function createDecide(guarded: GuardedSchema, { plan, evaluate: judge }: PlanEvaluator): Decide {
    const { schema } = guarded;
    const onOriginal: Decision = { schema: schema.original };

    function toDecision(
      { errors: refusals, deniesMetaField, isSatisfied }: Evaluation,
      caller: Caller,
    ): Decision {
      if (refusals.length > 0) {
        if (onDenied === 'reject') return { result: { errors: refusals } };
        // Meta-fields have no wall, and a schema filtered for the caller lacks the fields that are denied.
        const isMixed = introspection === 'permitted' && plan.introspection === 'mixed';
        if (deniesMetaField || isMixed) return { result: { data: null, errors: refusals } };
      }
      if (introspection === 'permitted' && plan.introspection !== 'none') {
        return decideIntrospection(guarded, plan, caller);
      }
      if (introspection === 'annotated' && plan.introspection !== 'none') return annotate(guarded);
      return isSatisfied ? onOriginal : { schema: schema.enforced };
    }

    const usesPolicies = schema.policyEvaluator.usesPolicies(plan.perObject);

    /** What is remembered by context is for one operation; some applications share a context among those of a connection. */
    function begin(args: ExecutionArgs): void {
      if (!usesPolicies && !hasReadPrincipal(args.contextValue)) return;
      if (begun.has(args)) return; // by another guard of the server
      begun.add(args);
      forgetPrincipal(args.contextValue);
      if (usesPolicies) schema.policyEvaluator.forget(args.contextValue);
    }

    const decide = (args: ExecutionArgs) => {
      begin(args);
      if (guarded.changes !== changes) {
        guarded.changes = changes;
        schema.refresh();
      }
      let caller: Caller;
      try {
        caller = callerOf(args.contextValue, schema.now);
      } catch (error) {
        return rejectCaller(schema.log, error);
      }
      if (plan.operation.operation === 'subscription') schema.beginSubscription(args.contextValue);
      if (schema.isReportOnly) return report(schema, plan, caller);
      // Also if everything needs a signed-in caller: what can be read is the schema alone.
      if (introspection === 'annotated' && plan.introspection === 'only') return annotate(guarded);
      const verdict = judge(args, caller);
      return verdict instanceof Promise
        ? verdict.then((late) => toDecision(late, caller))
        : toDecision(verdict, caller);
    };
    const plannedFields = plan.unconditional.reduce((sum, { fields: places }) => sum + places.length, 0);
    return Object.assign(decide, { plannedFields });
  }

  /** Shows everything; what is run on it is checked as on `walled`. */
  function annotate(guarded: GuardedSchema): Decision {
    const schema = guarded.schema.annotated();
    guards.set(schema, guarded);
    return { schema };
  }

  /** Shows the caller the schema that is the caller's. */
  function decideIntrospection(guarded: GuardedSchema, plan: Plan, caller: Caller): Decision {
    const { accessRules, visibleTo } = guarded.schema;
    const denials = accessRules.rules.flatMap((rule) => checkRequirement([rule], caller) ?? []);
    const [denial] = denials;
    if (denial !== undefined && plan.introspection === 'mixed') {
      // Data needs the types that the caller's schema leaves out.
      return { result: { errors: [mixedIntrospection()] } };
    }
    const schema = visibleTo(caller);
    if (schema !== undefined) {
      guards.set(schema, guarded);
      return { schema };
    }
    if (denial === undefined) throw new Error('A schema that is open to the caller has nothing to show');
    return { result: { errors: [toGraphQLError(toAuthError(denial, 'Query.__schema'), {}, true)] } };
  }

  function prepare(
    schema: GraphQLSchema,
    given: DocumentNode,
    operationName: string | null | undefined,
  ): Decide {
    const guarded = find(schema);
    const document = originalOf(given);
    const operation = getOperationAST(document, operationName);
    if (!operation) return () => ({ schema: guarded.schema.enforced }); // the executor says so
    const ofDocument = guarded.decides.get(document) ?? new Map<OperationDefinitionNode, Decide>();
    const known = ofDocument.get(operation);
    if (known !== undefined) return known;
    const plan = planOperation(guarded.schema.original, guarded.schema.accessRules, document, operation);
    const judge = createPlanEvaluator(plan, guarded.schema, {
      setsStatus: onDenied === 'reject',
      cache: kept,
    });
    const decide = createDecide(guarded, judge);
    guarded.decides.set(document, ofDocument.set(operation, decide));
    dropOldPlans(ofDocument);
    return decide;
  }

  return {
    options,
    protect: (schema) => find(schema).schema,
    schemaFor,
    expectChanges() {
      changes += 1;
    },
    prepare,
    decide: (args) => prepare(args.schema, args.document, args.operationName)(args),
    documentFor,
  };
}

/**
 * Keeps the newest plans of a document: by fragments each of its operations can have as many fields as the whole document, and
 * callers choose by `operationName` which of them are planned.
 */
function dropOldPlans(ofDocument: Map<OperationDefinitionNode, Decide>): void {
  let fields = 0;
  for (const [operation, { plannedFields = 0 }] of [...ofDocument].reverse()) {
    if (fields > MAX_PLANNED_FIELDS) ofDocument.delete(operation);
    fields += EMPTY_PLAN_FIELDS + plannedFields;
  }
}

/** Fails the whole operation, whatever it selects: a mistake in the server is to be found by its first request. */
function rejectCaller(log: EnforcedSchema['log'], error: unknown): Decision {
  if (!(error instanceof GraphQLError)) throw error;
  log.warn({ reason: error.message }, 'context.principal is not a principal; the operation fails');
  return { result: { errors: [error] } };
}

/** The wall lets everything through and says so; meta-fields have none, so that is said here. */
function report({ enforced, log }: EnforcedSchema, plan: Plan, caller: Caller): Decision {
  for (const { requirement, fields: places } of plan.unconditional) {
    const denial = checkRequirement(requirement, caller);
    const metaFields = places.filter(({ node }) => node.name.value.startsWith('__'));
    if (denial === undefined) continue;
    for (const { coordinate } of metaFields)
      log.warn({ coordinate, reason: denial.reason }, 'would be refused');
  }
  return { schema: enforced };
}

function mixedIntrospection(): GraphQLError {
  return new GraphQLError('Ask for __schema and __type in an operation of their own.', {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
