// What a caller gets, and what of it is a denial.
import type { ExecutionResult, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { type FetchAPI, processRegularResult } from 'graphql-yoga';
import type { AuthErrorReason } from '../errors.ts';
import type { Anything } from './documents.ts';

/** Why somebody may not have a field: the reasons that the guard gives. */
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

export type DenialReason = (typeof DENIAL_REASONS)[number];

/** One position that was denied. */
export interface Denied {
  code: string;
  /** A `DenialReason`; what a resolver of the app refuses by itself may have another, or none. */
  reason: string | undefined;
  /** Such as `Query.payroll`. */
  coordinate: string | undefined;
  path: readonly (string | number)[] | undefined;
  message: string;
}

/** What a caller gets, as JSON carries it, and what HTTP would say. */
export interface TestResult<Data = Anything> {
  /** Undefined where the operation did not begin. */
  data: Data | null | undefined;
  /** Undefined where there are none. */
  errors: readonly GraphQLFormattedError[] | undefined;
  /** Of the answer to a client that accepts `application/graphql-response+json`. */
  status: number;
  /** `WWW-Authenticate` and `Retry-After` among them. */
  headers: Headers;
  /** The whole answer. */
  body: ResponseBody<Data>;
  denials: readonly Denied[];
  /** Of the first denial; where there is none, of the first error. */
  code: string | undefined;
  reason: string | undefined;
  coordinate: string | undefined;
  /** What the server would log, and show nobody: errors behind `Unexpected error.` */
  unexpected: readonly unknown[];
}

export interface ResponseBody<Data = Anything> {
  data?: Data | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
  /** What comes later, by `@defer` and `@stream`. */
  incremental?: readonly ResponseBody[];
  completed?: readonly ResponseBody[];
}

const ACCEPTED_TYPE = 'application/graphql-response+json';
const DENIAL_CODES: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'FORBIDDEN']);
const UNAVAILABLE: ReadonlySet<unknown> = new Set(['KEYS_UNAVAILABLE', 'REVOCATIONS_UNAVAILABLE']);

/** What was asked, by the body of its answer: an assertion on a field that there is not would never find it. */
const schemas = new WeakMap<ResponseBody, GraphQLSchema>();

/** @returns undefined where the answer is not of a kit */
export function getSchema(body: ResponseBody): GraphQLSchema | undefined {
  return schemas.get(body);
}

/** Remembers the schema that an answer is of; returns the answer's body. */
export function withSchema(body: ResponseBody, schema: GraphQLSchema): ResponseBody {
  schemas.set(body, schema);
  return body;
}

export interface ResultOptions {
  schema: GraphQLSchema;
  fetchAPI: FetchAPI;
  /** Gives the error that was masked, if one was. */
  originalOf(error: Error): unknown;
}

export async function toTestResult(
  result: ExecutionResult,
  { schema, fetchAPI, originalOf }: ResultOptions,
): Promise<TestResult> {
  // Yoga's own answer, so that status, headers and what JSON makes of the data are the server's.
  const response = processRegularResult(result, fetchAPI, ACCEPTED_TYPE);
  const body = withSchema(await response.json(), schema);
  const denials = denialsIn(body);
  const [first] = denials.length > 0 ? denials : errorsIn(body).map(toDenied);
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
    unexpected: (result.errors ?? []).map(originalOf).filter((error) => error !== undefined),
  };
}

/** The errors of an answer that deny something, those of its later parts included. */
export function denialsIn(body: ResponseBody): Denied[] {
  return errorsIn(body).filter(isDenial).map(toDenied);
}

export function isDenial({ extensions }: Pick<GraphQLFormattedError, 'extensions'>): boolean {
  const { code, reason } = extensions ?? {};
  return DENIAL_CODES.has(code) || UNAVAILABLE.has(reason);
}

/** Every error of an answer, those of its later parts included. */
export function errorsIn({
  errors = [],
  incremental = [],
  completed = [],
}: ResponseBody): GraphQLFormattedError[] {
  return [...errors, ...[...incremental, ...completed].flatMap(errorsIn)];
}

function toDenied({ extensions = {}, path, message }: GraphQLFormattedError): Denied {
  const wordOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const { code, reason, coordinate } = extensions;
  return {
    code: wordOf(code) ?? '',
    reason: wordOf(reason),
    coordinate: wordOf(coordinate),
    path,
    message,
  };
}
