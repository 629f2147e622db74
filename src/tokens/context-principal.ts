// Reads `context.principal`; no other file does.
import { GraphQLError } from 'graphql';
import { withoutStack } from '../errors.ts';
import { parsePrincipalInput } from './create-principal.ts';
import type { Principal } from './principal.ts';

interface ParsedPrincipal {
  value: unknown;
  principal: Principal;
}

/** By context, for one operation: the application may change its object between operations. Weak, so that a context can be collected. */
const parsedByContext = new WeakMap<object, ParsedPrincipal>();

/**
 * Reads `context.principal`: a principal from `createPrincipal` or Bandha's own authentication, or a plain object that
 * `createPrincipal` accepts. A plain object is read once in an operation, so that every check sees the same values.
 *
 * @returns null for an anonymous caller: null, undefined, or no context at all
 * @throws GraphQLError `INTERNAL_SERVER_ERROR` for anything else; the message names the mistake, without values
 */
export function readContextPrincipal(context: unknown): Principal | null {
  if (typeof context !== 'object' || context === null) return null;
  const { principal: value } = context as { principal?: unknown }; // any object; the key may be missing
  if (value === null || value === undefined) return null;
  const parsed = parsedByContext.get(context);
  if (parsed !== undefined && parsed.value === value) return parsed.principal;
  const principal = parse(value);
  if (typeof principal === 'string') throw principalError(principal);
  if (principal !== value) parsedByContext.set(context, { value, principal });
  return principal;
}

/** Ends an operation: the next one with this context reads the principal again. */
export function dropContextPrincipal(context: unknown): void {
  if (hasReadPrincipal(context)) parsedByContext.delete(context);
}

/** @returns whether a plain object has been read as the principal of this context */
export function hasReadPrincipal(context: unknown): context is object {
  return typeof context === 'object' && context !== null && parsedByContext.has(context);
}

function parse(value: unknown): Principal | string {
  try {
    return parsePrincipalInput(value);
  } catch {
    return 'reading it throws'; // a getter or a proxy of the application's
  }
}

function principalError(issue: string): GraphQLError {
  const detail = issue.replace(/^must be an object; /, '');
  return withoutStack(
    () =>
      new GraphQLError(`context.principal: must be a Principal, null or undefined; ${detail}`, {
        extensions: { code: 'INTERNAL_SERVER_ERROR', http: { status: 500 } },
      }),
  );
}
