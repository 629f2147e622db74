// What an assertion is made on: an answer and nothing that looks like one, a reason and a coordinate that there are.
import { isInterfaceType, isObjectType, isUnionType } from 'graphql';
import { DENIAL_REASONS, getSchema, isDenial, type ResponseBody } from './result.ts';

/** A kit's result, or the JSON of an answer. */
export interface ParsedResponse {
  body: ResponseBody;
  unexpected: readonly unknown[];
}

const KEYS: ReadonlySet<string> = new Set([
  ...['data', 'errors', 'extensions'],
  // Of answers in parts.
  ...['pending', 'incremental', 'completed', 'hasNext'],
]);

/** @throws TypeError where it is no answer; what a client makes of one holds its errors elsewhere */
export function parseResponse(matcher: string, received: unknown): ParsedResponse {
  if (received instanceof Promise) throw new TypeError(`${matcher}: got a promise; await it first`);
  if (isKitResult(received)) return { body: received.body, unexpected: received.unexpected ?? [] };
  const advice = `${matcher}: needs what execute or subscribe gives, or the JSON of an answer`;
  if (!isRecord(received)) throw new TypeError(advice);
  const others = Object.keys(received).filter((key) => !KEYS.has(key));
  if (others.length > 0) throw new TypeError(`${advice}; an answer has no ${others.join(', ')}`);
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

/** An answer within another would hide its errors. */
function containsDenial({ errors }: Record<string, unknown>): boolean {
  return Array.isArray(errors) && errors.some((error) => isRecord(error) && isDenial(error));
}

/** A misspelt reason would never be found, and `.not` would always hold. */
export function assertReason(reason: string | undefined): void {
  const known: readonly string[] = DENIAL_REASONS;
  if (reason === undefined || known.includes(reason)) return;
  throw new TypeError(`toBeDenied: "${reason}" is no reason of a denial; they are ${known.join(', ')}`);
}

/** Neither would a misspelt coordinate; of an answer that is not a kit's, only the form is known. */
export function assertCoordinate(coordinate: string | undefined, body: ResponseBody): void {
  if (coordinate === undefined) return;
  const [, typeName = '', fieldName = ''] = /^(\w+)\.(\w+)$/.exec(coordinate) ?? [];
  if (typeName === '') {
    throw new TypeError(`toBeDenied: "${coordinate}" is no coordinate; one is such as Query.payroll`);
  }
  const schema = getSchema(body);
  if (schema === undefined) return;
  const type = schema.getType(typeName);
  const isComposite = isObjectType(type) || isInterfaceType(type);
  const isMeta = fieldName.startsWith('__') && (isComposite || isUnionType(type));
  if (isMeta || (isComposite && Object.hasOwn(type.getFields(), fieldName))) return;
  throw new TypeError(`toBeDenied: "${coordinate}" is no field of the schema`);
}
