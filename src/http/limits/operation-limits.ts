// The limits of one operation: what they are, and whether an operation keeps to them before it runs.
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
 * Limits of one operation. Above one of them nothing of the operation runs: HTTP 400, `OPERATION_TOO_COSTLY`, with the
 * limit's name as `extensions.reason`, and `cost` and `limit` as numbers.
 * @example createBandha({ operationLimits: { maxCost: 50_000, listSizes: { 'Query.products': 50 } } })
 */
export interface OperationLimits {
  /**
   * Fields that an operation can execute: aliases and fragments multiplied out, lists by their assumed size, an interface
   * or union as its most expensive type. @default 20_000
   */
  maxCost?: number;
  /** Items that a list is assumed to have. @default 5 */
  assumedListSize?: number;
  /**
   * The same for single fields, by coordinate.
   * @default { 'Query.sessions': 100 }, to which yours are added
   */
  listSizes?: Readonly<Record<string, number>>;
  /**
   * Fields of introspection, counted on the schema as it is.
   * @default 10_000, or twice the cost of the full introspection query if that is more
   */
  maxIntrospectionCost?: number;
  /** Fields of `Query`, `Mutation` or `Subscription`, aliases and fragments multiplied out. @default 100 */
  maxRootFields?: number;
  /**
   * Selections that validation compares, fragments written out wherever they are spread: fields with the same name in the
   * response must agree. @default 50_000
   */
  maxComparedFields?: number;
  /** Names, brackets and values of a document. Beyond it the document is not parsed: `GRAPHQL_PARSE_FAILED`. @default 10_000 */
  maxTokens?: number;
  /**
   * Brackets within each other, beyond which a document is not parsed: `GRAPHQL_PARSE_FAILED`. Likewise levels of fields with
   * fragments written out. @default 200
   */
  maxDepth?: number;
}

/** As `OperationLimits`, with the defaults. */
export interface ResolvedLimits extends Required<Omit<OperationLimits, 'maxIntrospectionCost'>> {
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

/** @throws ConfigError naming every option that is unknown or not a whole number above 0 */
export function resolveOperationLimits(input: OperationLimits = {}): ResolvedLimits {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError(['operationLimits: must be an object']);
  }
  const { listSizes = {}, ...numbers } = input;
  const issues = Object.keys(numbers)
    .filter((name) => !Object.hasOwn(DEFAULT_LIMITS, name))
    .map((name) => `operationLimits.${name}: is not a known option`);
  const isPlainObject = typeof listSizes === 'object' && listSizes !== null && !Array.isArray(listSizes);
  if (!isPlainObject) issues.push('operationLimits.listSizes: must be an object');
  const sizes = isPlainObject ? Object.entries(listSizes) : [];
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

/** Finds the limit that an operation exceeds; the first call for a document does the work. */
export type FindExceededLimit = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
) => GraphQLError | undefined;

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
    if (!operation) return undefined; // the executor reports it
    const resultsByOperation =
      results.get(document) ?? new Map<OperationDefinitionNode, GraphQLError | undefined>();
    if (resultsByOperation.has(operation)) return resultsByOperation.get(operation);
    const error = check(schema, document, operation);
    results.set(document, resultsByOperation.set(operation, error));
    return error;
  };
}

/** @param unit that the limit counts, such as `fields` */
export function limitExceeded(
  reason: keyof OperationLimits,
  cost: number,
  limit: number,
  unit: string,
): GraphQLError {
  const reportedCost = Math.min(cost, Number.MAX_SAFE_INTEGER);
  const message = `The operation costs ${reportedCost} ${unit}; ${reason} allows ${limit}.`;
  // Not 200 as the specification wants it of `application/json` for invalid documents: this one is valid.
  const http = { status: 400, spec: false };
  const extensions = { code: 'OPERATION_TOO_COSTLY', reason, cost: reportedCost, limit, http };
  return withoutStack(() => new GraphQLError(message, { extensions })); // it is kept as long as the document
}
