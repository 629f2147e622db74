// Validates the input of the matchers: a response, a reason, a coordinate.
import { isInterfaceType, isObjectType, isUnionType } from 'graphql';
import { DENIAL_REASONS, getSchema, isDenial, type ResponseBody } from './result.ts';

/** A result of the kit, or a GraphQL response as JSON. */
export interface ParsedResponse {
  body: ResponseBody;
  unexpected: readonly unknown[];
}

const KEYS: ReadonlySet<string> = new Set([
  ...['data', 'errors', 'extensions'],
  // of incremental responses
  ...['pending', 'incremental', 'completed', 'hasNext'],
]);

/** @throws TypeError if the value is not a response, for example the result object of a GraphQL client, whose errors are elsewhere */
export function parseResponse(matcher: string, received: unknown): ParsedResponse {
  if (received instanceof Promise) throw new TypeError(`${matcher}: got a promise; await it first`);
  if (isKitResult(received)) return { body: received.body, unexpected: received.unexpected ?? [] };
  const advice = `${matcher}: expected a result of execute or subscribe, or a GraphQL response as JSON`;
  if (!isRecord(received)) throw new TypeError(advice);
  const unknown = Object.keys(received).filter((key) => !KEYS.has(key));
  if (unknown.length > 0) throw new TypeError(`${advice}; a response has no ${unknown.join(', ')}`);
  if (!isBody(received)) throw new TypeError(advice);
  return { body: received, unexpected: [] };
}

function isKitResult(received: unknown): received is Pick<ParsedResponse, 'body'> & Partial<ParsedResponse> {
  return isRecord(received) && Array.isArray(received.denials) && isRecord(received.body);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBody(received: Record<string, unknown>): received is ResponseBody & Record<string, unknown> {
  const { data, errors } = received;
  if (errors !== undefined && !Array.isArray(errors)) return false;
  if (data === undefined) return errors !== undefined;
  return data === null || (isRecord(data) && !containsDenial(data));
}

/** Detects a response nested in `data`, whose errors would be overlooked. */
function containsDenial({ errors }: Record<string, unknown>): boolean {
  return Array.isArray(errors) && errors.some((error) => isRecord(error) && isDenial(error));
}

/**
 * A misspelled reason never matches, so an assertion with `.not` would always pass.
 * @throws TypeError if the reason is unknown
 */
export function assertReason(reason: string | undefined): void {
  const known: readonly string[] = DENIAL_REASONS;
  if (reason === undefined || known.includes(reason)) return;
  throw new TypeError(`toBeDenied: unknown reason "${reason}"; known reasons: ${known.join(', ')}`);
}

/**
 * A misspelled coordinate never matches either. Without the schema of a test kit, only the form is checked.
 * @throws TypeError if the coordinate is malformed or not a field of the schema
 */
export function assertCoordinate(coordinate: string | undefined, body: ResponseBody): void {
  if (coordinate === undefined) return;
  const [, typeName = '', fieldName = ''] = /^(\w+)\.(\w+)$/.exec(coordinate) ?? [];
  if (typeName === '') {
    throw new TypeError(`toBeDenied: "${coordinate}" is not a field's coordinate such as Query.payroll`);
  }
  const schema = getSchema(body);
  if (schema === undefined) return;
  const type = schema.getType(typeName);
  const isComposite = isObjectType(type) || isInterfaceType(type);
  const isMeta = fieldName.startsWith('__') && (isComposite || isUnionType(type));
  if (isMeta || (isComposite && Object.hasOwn(type.getFields(), fieldName))) return;
  throw new TypeError(`toBeDenied: "${coordinate}" is not a field of the schema`);
}
