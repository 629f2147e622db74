// Defines the limits for the cost of one operation and checks an operation against them before it runs.
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { ConfigError, withoutStack } from '../../errors.ts';
import { toFragmentMap } from '../../utils/fragments.ts';
import { createIntrospectionCounter, fullIntrospectionCost } from './introspection-cost.ts';
import { measureOperation, measureSize } from './operation-cost.ts';

/**
 * Limits for the cost of one operation, checked before any of it runs. An operation beyond one of them gets HTTP 400 and
 * `OPERATION_TOO_COSTLY`, with the name of the limit as `extensions.reason`, and with `extensions.cost` and `extensions.limit`
 * as numbers. A document beyond `maxTokens` or with too many nested brackets is not parsed: `GRAPHQL_PARSE_FAILED`, with HTTP 400, or 200 for
 * clients that accept `application/json` alone.
 * Every limit is a whole number above 0.
 * @example createBandha({ operationLimits: { maxCost: 50_000, listSizes: { 'Query.products': 50 } } })
 */
export interface OperationLimits {
  /**
   * Maximum number of fields that an operation can execute, introspection excluded. Every alias and every spread of a
   * fragment counts, a list counts as its assumed number of items, and an interface or union as its most expensive type.
   * @default 20_000
   */
  maxCost?: number;
  /** Number of items that a list is assumed to have. @default 5 */
  assumedListSize?: number;
  /**
   * Number of items that the list of a single field is assumed to have, by coordinate. Your entries are added to the default.
   * @default { 'Query.sessions': 100 }
   */
  listSizes?: Readonly<Record<string, number>>;
  /**
   * Maximum number of introspection fields, counted on the actual schema.
   * @default 10_000, or twice the cost of the full introspection query if that is more
   */
  maxIntrospectionCost?: number;
  /** Maximum number of fields on `Query`, `Mutation` or `Subscription`; every alias and spread of a fragment counts. @default 100 */
  maxRootFields?: number;
  /**
   * Maximum number of selections that validation compares to check that fields with the same response name can be merged.
   * Fragments count wherever they are spread.
   * @default 50_000
   */
  maxComparedFields?: number;
  /** Maximum number of tokens in a document: names, punctuation and values. @default 10_000 */
  maxTokens?: number;
  /** Maximum number of nested brackets in a document, and of nested fields with fragments expanded. @default 200 */
  maxDepth?: number;
}

/** `OperationLimits` with the defaults applied. */
export interface ResolvedLimits extends Required<Omit<OperationLimits, 'maxIntrospectionCost'>> {
  /** Undefined: the default depends on the schema. */
  maxIntrospectionCost: number | undefined;
}

const DEFAULT_LIMITS: ResolvedLimits = {
  maxCost: 20_000,
  assumedListSize: 5,
  listSizes: { 'Query.sessions': 100 },
  maxIntrospectionCost: undefined,
  maxRootFields: 100,
  maxComparedFields: 50_000,
  maxTokens: 10_000,
  maxDepth: 200,
};

const DEFAULT_INTROSPECTION_COST = 10_000;

/**
 * Applies the defaults.
 * @throws {@link ConfigError} with an issue for every option that is unknown or not a whole number above 0
 */
export function resolveOperationLimits(input: OperationLimits = {}): ResolvedLimits {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError(['operationLimits: must be an object']);
  }
  const { listSizes = {}, ...numbers } = input;
  const issues = Object.keys(numbers)
    .filter((name) => !Object.hasOwn(DEFAULT_LIMITS, name))
    .map((name) => `operationLimits.${name}: is not a known option`);
  const isRecord = typeof listSizes === 'object' && listSizes !== null && !Array.isArray(listSizes);
  if (!isRecord) issues.push('operationLimits.listSizes: must be an object');
  const sizes = isRecord ? Object.entries(listSizes) : [];
  const checked = [
    ...Object.entries(numbers).filter(([name]) => Object.hasOwn(DEFAULT_LIMITS, name)),
    ...sizes.map(([coordinate, size]) => [`listSizes['${coordinate}']`, size] as const),
  ];
  for (const [name, value] of checked) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    issues.push(`operationLimits.${name}: must be a whole number above 0`);
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const defined = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_LIMITS, ...defined, listSizes: { ...DEFAULT_LIMITS.listSizes, ...listSizes } };
}

/** Returns an error if an operation exceeds a limit. The first call for a document measures it; later calls read a cache. */
export type FindExceededLimit = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
) => GraphQLError | undefined;

/** Creates the check. Results are cached per document and expire with it. */
export function createLimitCheck(limits: ResolvedLimits): FindExceededLimit {
  const results = new WeakMap<DocumentNode, Map<OperationDefinitionNode, GraphQLError | undefined>>();
  const listSizeOf = (coordinate: string) =>
    (Object.hasOwn(limits.listSizes, coordinate) ? limits.listSizes[coordinate] : undefined) ??
    limits.assumedListSize;

  function check(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    const { rootFields, depth } = measureSize(document, operation);
    if (rootFields > limits.maxRootFields) {
      return limitExceeded('maxRootFields', rootFields, limits.maxRootFields, 'root fields');
    }
    if (depth > limits.maxDepth) {
      return limitExceeded('maxDepth', depth, limits.maxDepth, 'levels of fields');
    }
    // Measures up to the fixed default first, because the cost of the full introspection query takes time to compute.
    const lowerLimit = limits.maxIntrospectionCost ?? DEFAULT_INTROSPECTION_COST;
    const measure = (limit: number) =>
      measureOperation(schema, document, operation, {
        listSizeOf,
        introspectionCostOf: createIntrospectionCounter(schema, toFragmentMap(document), limit),
      });
    const { fields, introspection } = measure(lowerLimit);
    if (fields > limits.maxCost) return limitExceeded('maxCost', fields, limits.maxCost, 'fields');
    if (introspection <= lowerLimit) return undefined;
    const upperLimit = limits.maxIntrospectionCost ?? Math.max(lowerLimit, 2 * fullIntrospectionCost(schema));
    const cost = upperLimit === lowerLimit ? introspection : measure(upperLimit).introspection;
    return cost > upperLimit
      ? limitExceeded('maxIntrospectionCost', cost, upperLimit, 'fields of introspection')
      : undefined;
  }

  return (schema, document, operationName) => {
    const operation = getOperationAST(document, operationName);
    if (!operation) return undefined; // the executor reports that the operation is missing
    const resultsByOperation =
      results.get(document) ?? new Map<OperationDefinitionNode, GraphQLError | undefined>();
    if (resultsByOperation.has(operation)) return resultsByOperation.get(operation);
    const error = check(schema, document, operation);
    results.set(document, resultsByOperation.set(operation, error));
    return error;
  };
}

/**
 * Creates the error `OPERATION_TOO_COSTLY`.
 * @param unit what the limit counts, such as `fields`
 */
export function limitExceeded(
  reason: keyof OperationLimits,
  cost: number,
  limit: number,
  unit: string,
): GraphQLError {
  const reportedCost = Math.min(cost, Number.MAX_SAFE_INTEGER);
  const message = `The operation costs ${reportedCost} ${unit}; ${reason} allows ${limit}.`;
  // GraphQL over HTTP prescribes 200 for invalid documents with `application/json`. This document is valid, so it gets 400.
  const http = { status: 400, spec: false };
  const extensions = { code: 'OPERATION_TOO_COSTLY', reason, cost: reportedCost, limit, http };
  return withoutStack(() => new GraphQLError(message, { extensions })); // cached as long as the document
}
