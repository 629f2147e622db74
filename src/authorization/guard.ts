// Decides each operation: rejects it, or runs it on the original or the enforced schema. For `useGuard` and the fast path.
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
import { dropContextPrincipal, hasReadPrincipal } from '../tokens/context-principal.ts';
import { type Caller, checkRequirement, toAuthError } from './check-requirement.ts';
import { copySchema, isCopied } from './copy-schema.ts';
import { type EnforcedSchema, enforceSchema, findEnforced, getCaller } from './enforce-schema.ts';
import { createPlanEvaluator, type Evaluation, type PlanEvaluator } from './evaluate-plan.ts';
import { createEvaluationCache } from './evaluation-cache.ts';
import { assertGuardOptions, assertSameOptions, type GuardOptions } from './guard-options.ts';
import { type Plan, planOperation } from './operation-plan.ts';
import { createDocuments, type Documents } from './schema-documents.ts';

/** The schema to run the operation on, or the result to send without running it. */
export type Decision = { schema: GraphQLSchema } | { result: ExecutionResult };

/** Decides one request. Returns a promise only if policies have to be evaluated. */
export interface Decide {
  (args: ExecutionArgs): Decision | Promise<Decision>;
  /** Number of fields in the plan that the function retains. */
  readonly plannedFields?: number;
}

/** Decides the operations of a server. */
export interface Guard {
  /** The options of `createGuard`. */
  options: GuardOptions;
  /** @throws ConfigError for a directive with a mistake, an undefined policy, or a schema that is enforced with other options */
  protect(schema: GraphQLSchema): EnforcedSchema;
  /**
   * The schema that other plugins see and may change: a copy without checks, as the application may use its schema elsewhere.
   * A copy, and the schema behind an enforced one, are not copied again.
   */
  schemaFor(schema: GraphQLSchema): GraphQLSchema;
  /** Announces that other plugins may have replaced resolvers: the next decision compares them. */
  expectChanges(): void;
  /** Plans an operation once, and returns the function that decides each request with it. */
  prepare(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): Decide;
  /** Decides one request, with the cached plan of its operation. */
  decide: Decide;
  documentFor: Documents['documentFor'];
}

/** The state of one schema. */
interface GuardedSchema {
  schema: EnforcedSchema;
  /** By document first: another document may have the same operation with other fragments. */
  decides: WeakMap<DocumentNode, Map<OperationDefinitionNode, Decide>>;
  /** The number of announced changes at the last comparison. */
  changes: number;
}

/** Maximum number of planned fields cached with one document. Each takes about 160 bytes. */
const MAX_PLANNED_FIELDS = 5_000;
/** The size of a plan without fields, in planned fields. */
const EMPTY_PLAN_FIELDS = 10;

/** @throws ConfigError if an option is unknown or invalid */
export function createGuard(options: GuardOptions = {}): Guard {
  assertGuardOptions(options);
  const { onDenied = 'reject', introspection = 'all' } = options;
  const guardedSchemas = new WeakMap<GraphQLSchema, GuardedSchema>();
  const copies = new WeakMap<GraphQLSchema, GraphQLSchema>();
  const cache = createEvaluationCache<Evaluation>();
  const begun = new WeakSet<ExecutionArgs>();
  let changes = 0;
  const { documentFor, originalOf } = createDocuments(
    (schema) => guardedSchemas.get(schema)?.schema.original === schema,
  );

  function getGuarded(schema: GraphQLSchema): GuardedSchema {
    const existing = guardedSchemas.get(schema);
    if (existing !== undefined) return existing;
    const byOtherGuard = findEnforced(schema);
    if (byOtherGuard !== undefined) assertSameOptions(byOtherGuard.options, options);
    const enforced = byOtherGuard ?? enforceSchema(schema, options);
    const guarded = guardedSchemas.get(enforced.original) ?? {
      schema: enforced,
      decides: new WeakMap(),
      changes,
    };
    guardedSchemas.set(guarded.schema.original, guarded);
    guardedSchemas.set(schema, guarded);
    return guarded;
  }

  function schemaFor(schema: GraphQLSchema): GraphQLSchema {
    if (isCopied(schema) || findEnforced(schema) !== undefined) return getGuarded(schema).schema.original;
    const copy = copies.get(schema) ?? copySchema(schema);
    copies.set(schema, copy);
    return getGuarded(copy).schema.original;
  }

  /** Computes what all requests with an operation share. */
  function createDecide(guarded: GuardedSchema, { plan, evaluate }: PlanEvaluator): Decide {
    const { schema } = guarded;
    const onOriginal: Decision = { schema: schema.original };
    const usesPolicies = schema.policyEvaluator.usesPolicies(plan.perObject);

    function decide(args: ExecutionArgs): Decision | Promise<Decision> {
      begin(args);
      if (guarded.changes !== changes) {
        guarded.changes = changes;
        schema.refresh();
      }
      let caller: Caller;
      try {
        caller = getCaller(args.contextValue, schema.now);
      } catch (error) {
        return rejectInvalidPrincipal(schema.log, error);
      }
      if (plan.operation.operation === 'subscription') schema.beginSubscription(args.contextValue);
      if (schema.isReportOnly) return reportDenials(schema, plan, caller);
      // Before the evaluation, since `defaultAccess: 'deny'` must not hide the annotated schema.
      if (introspection === 'annotated' && plan.introspection === 'only') return showAnnotated(guarded);
      // Without handleMaybePromise: its closure would be created for every request.
      const evaluation = evaluate(args, caller);
      return evaluation instanceof Promise
        ? evaluation.then((evaluated) => toDecision(evaluated, caller))
        : toDecision(evaluation, caller);
    }

    /** Drops what is cached by context, since some applications use one context for all operations of a connection. */
    function begin(args: ExecutionArgs): void {
      if (!usesPolicies && !hasReadPrincipal(args.contextValue)) return;
      if (begun.has(args)) return; // by another guard of the server
      begun.add(args);
      dropContextPrincipal(args.contextValue);
      if (usesPolicies) schema.policyEvaluator.forget(args.contextValue);
    }

    function toDecision({ errors, deniesMetaField, isSatisfied }: Evaluation, caller: Caller): Decision {
      if (errors.length > 0) {
        if (onDenied === 'reject') return { result: { errors } };
        // No resolver denies meta-fields, and a schema filtered for the caller does not have the denied fields.
        const isMixed = introspection === 'permitted' && plan.introspection === 'mixed';
        if (deniesMetaField || isMixed) return { result: { data: null, errors } };
      }
      if (introspection === 'permitted' && plan.introspection !== 'none') {
        return decideIntrospection(guarded, plan, caller);
      }
      if (introspection === 'annotated' && plan.introspection !== 'none') return showAnnotated(guarded);
      return isSatisfied ? onOriginal : { schema: schema.enforced };
    }

    const plannedFields = plan.unconditional.reduce((sum, { fields }) => sum + fields.length, 0);
    return Object.assign(decide, { plannedFields });
  }

  /** Runs the operation on the annotated schema, which has the same checks as the enforced one. */
  function showAnnotated(guarded: GuardedSchema): Decision {
    const schema = guarded.schema.annotated();
    guardedSchemas.set(schema, guarded);
    return { schema };
  }

  /** Runs introspection on the schema that the caller may use. */
  function decideIntrospection(guarded: GuardedSchema, plan: Plan, caller: Caller): Decision {
    const { accessRules, permittedFor } = guarded.schema;
    const denials = accessRules.rules.flatMap((rule) => checkRequirement([rule], caller) ?? []);
    const [denial] = denials;
    if (denial !== undefined && plan.introspection === 'mixed') {
      // The data may need types that the permitted schema does not have.
      return { result: { errors: [createMixedIntrospectionError()] } };
    }
    const schema = permittedFor(caller);
    if (schema !== undefined) {
      guardedSchemas.set(schema, guarded);
      return { schema };
    }
    if (denial === undefined)
      throw new Error('The permitted schema of a caller without denials has no fields');
    return { result: { errors: [toGraphQLError(toAuthError(denial, 'Query.__schema'), {}, true)] } };
  }

  function prepare(
    schema: GraphQLSchema,
    executedDocument: DocumentNode,
    operationName: string | null | undefined,
  ): Decide {
    const guarded = getGuarded(schema);
    const document = originalOf(executedDocument);
    const operation = getOperationAST(document, operationName);
    if (!operation) return () => ({ schema: guarded.schema.enforced }); // the executor reports it
    const decides = guarded.decides.get(document) ?? new Map<OperationDefinitionNode, Decide>();
    const existing = decides.get(operation);
    if (existing !== undefined) return existing;
    const plan = planOperation(guarded.schema.original, guarded.schema.accessRules, document, operation);
    const setsStatus = onDenied === 'reject';
    const decide = createDecide(guarded, createPlanEvaluator(plan, guarded.schema, { setsStatus, cache }));
    guarded.decides.set(document, decides.set(operation, decide));
    evictOldPlans(decides);
    return decide;
  }

  return {
    options,
    protect: (schema) => getGuarded(schema).schema,
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
 * Keeps only the newest plans of a document. With fragments, each of its operations can have as many fields as the whole
 * document, and clients choose by `operationName` which of them are planned.
 */
function evictOldPlans(decides: Map<OperationDefinitionNode, Decide>): void {
  let fields = 0;
  for (const [operation, { plannedFields = 0 }] of [...decides].reverse()) {
    if (fields > MAX_PLANNED_FIELDS) decides.delete(operation);
    fields += EMPTY_PLAN_FIELDS + plannedFields;
  }
}

/** Rejects the whole operation, even one without protected fields, so that the first request shows the server's mistake. */
function rejectInvalidPrincipal(log: EnforcedSchema['log'], error: unknown): Decision {
  if (!(error instanceof GraphQLError)) throw error;
  log.warn({ reason: error.message }, 'context.principal is not a principal; the operation fails');
  return { result: { errors: [error] } };
}

/** Logs denied meta-fields, which have no resolver to log them, and runs the operation. The enforced schema logs all others. */
function reportDenials({ enforced, log }: EnforcedSchema, plan: Plan, caller: Caller): Decision {
  for (const { requirement, fields } of plan.unconditional) {
    const denial = checkRequirement(requirement, caller);
    if (denial === undefined) continue;
    const metaFields = fields.filter(({ node }) => node.name.value.startsWith('__'));
    for (const { coordinate } of metaFields)
      log.warn({ coordinate, reason: denial.reason }, 'access would be denied');
  }
  return { schema: enforced };
}

function createMixedIntrospectionError(): GraphQLError {
  return new GraphQLError('Select __schema and __type in an operation of their own, without data.', {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
