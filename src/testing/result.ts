// The result of an operation, and its denials.
import type { ExecutionResult, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { type FetchAPI, processRegularResult } from 'graphql-yoga';
import type { AuthErrorReason } from '../errors.ts';
import type { Anything } from './documents.ts';

/** All reasons for which the guard denies a field. */
export const DENIAL_REASONS = [
  'MISSING_TOKEN',
  'TOKEN_MALFORMED',
  'TOKEN_EXPIRED',
  'TOKEN_INVALID',
  'TOKEN_REVOKED',
  'REAUTHENTICATION_REQUIRED',
  'MISSING_ROLE',
  'MISSING_SCOPE',
  'POLICY_DENIED',
  'KEYS_UNAVAILABLE',
  'REVOCATIONS_UNAVAILABLE',
] as const satisfies readonly AuthErrorReason[];

/** Reason for which a field was denied: `extensions.reason` of its error. */
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** One denied field of a response. */
export interface Denied {
  /** `extensions.code`, such as `UNAUTHENTICATED` or `FORBIDDEN`. */
  code: string;
  /** A `DenialReason`; a resolver of the app that denies access may set another one, or none. */
  reason: string | undefined;
  /** Schema coordinate of the field, such as `Query.payroll`. */
  coordinate: string | undefined;
  /** Path in the response. */
  path: readonly (string | number)[] | undefined;
  /** Message of the error. */
  message: string;
}

/** Result of one operation: the response as JSON, and its HTTP status and headers. */
export interface TestResult<Data = Anything> {
  /** Undefined if the operation was not executed. */
  data: Data | null | undefined;
  /** Undefined if there are none. */
  errors: readonly GraphQLFormattedError[] | undefined;
  /** HTTP status for a client that accepts `application/graphql-response+json`. */
  status: number;
  /** HTTP headers, such as `WWW-Authenticate` and `Retry-After`. */
  headers: Headers;
  /** The complete response. */
  body: ResponseBody<Data>;
  /** Denied fields, including those of incremental results. */
  denials: readonly Denied[];
  /** Code of the first denial, or of the first error if there is no denial. */
  code: string | undefined;
  /** Reason of the same error. */
  reason: string | undefined;
  /** Coordinate of the same error. */
  coordinate: string | undefined;
  /** Original errors masked as `Unexpected error.`, which the server would only log. */
  unexpected: readonly unknown[];
}

/** A GraphQL response as JSON. */
export interface ResponseBody<Data = Anything> {
  /** Missing if the operation was not executed. */
  data?: Data | null;
  /** Missing if there are none. */
  errors?: readonly GraphQLFormattedError[];
  /** Extensions of the response, added by plugins. */
  extensions?: Record<string, unknown>;
  /** Later results of `@defer` and `@stream`. */
  incremental?: readonly ResponseBody[];
  /** End of deferred fragments and streams, with their errors. */
  completed?: readonly ResponseBody[];
}

const ACCEPTED_TYPE = 'application/graphql-response+json';
const DENIAL_CODES: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'FORBIDDEN']);
const UNAVAILABLE_REASONS: ReadonlySet<unknown> = new Set(['KEYS_UNAVAILABLE', 'REVOCATIONS_UNAVAILABLE']);

/** Schemas by response: an assertion about a misspelled field must throw instead of never matching. Weak, so that results can be collected. */
const schemas = new WeakMap<ResponseBody, GraphQLSchema>();

/** @returns undefined if the response is not from a test kit */
export function getSchema(body: ResponseBody): GraphQLSchema | undefined {
  return schemas.get(body);
}

/** Records the schema of a response for `getSchema`. */
export function withSchema(body: ResponseBody, schema: GraphQLSchema): ResponseBody {
  schemas.set(body, schema);
  return body;
}

export interface ResultOptions {
  schema: GraphQLSchema;
  fetchAPI: FetchAPI;
  /** Finds the original of a masked error. */
  findOriginal(error: Error): unknown;
}

export async function toTestResult(
  result: ExecutionResult,
  { schema, fetchAPI, findOriginal }: ResultOptions,
): Promise<TestResult> {
  // Yoga creates the response, so that status, headers and JSON are those of the server.
  const response = processRegularResult(result, fetchAPI, ACCEPTED_TYPE);
  const body = withSchema(await response.json(), schema);
  const denials = findDenials(body);
  const [first] = denials.length > 0 ? denials : findErrors(body).map(toDenied);
  return {
    data: body.data,
    errors: body.errors,
    status: response.status,
    headers: response.headers,
    body,
    denials,
    code: first?.code,
    reason: first?.reason,
    coordinate: first?.coordinate,
    unexpected: (result.errors ?? []).map(findOriginal).filter((error) => error !== undefined),
  };
}

/** Finds the denials of a response, including its incremental results. */
export function findDenials(body: ResponseBody): Denied[] {
  return findErrors(body).filter(isDenial).map(toDenied);
}

export function isDenial({ extensions }: Pick<GraphQLFormattedError, 'extensions'>): boolean {
  const { code, reason } = extensions ?? {};
  return DENIAL_CODES.has(code) || UNAVAILABLE_REASONS.has(reason);
}

/** Finds the errors of a response, including its incremental results. */
export function findErrors({
  errors = [],
  incremental = [],
  completed = [],
}: ResponseBody): GraphQLFormattedError[] {
  return [...errors, ...[...incremental, ...completed].flatMap(findErrors)];
}

function toDenied({ extensions = {}, path, message }: GraphQLFormattedError): Denied {
  const toText = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const { code, reason, coordinate } = extensions;
  return {
    code: toText(code) ?? '',
    reason: toText(reason),
    coordinate: toText(coordinate),
    path,
    message,
  };
}
