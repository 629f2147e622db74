// The caller that a request's context names: the one place that reads `context.principal`.
import { GraphQLError } from 'graphql';
import { withoutStack } from '../errors.ts';
import { parsePrincipalInput } from './create-principal.ts';
import type { Principal } from './principal.ts';

interface ParsedPrincipal {
  value: unknown;
  principal: Principal;
}

/** By context, for one operation: an application may change the object that it describes a caller by. */
const parsedByContext = new WeakMap<object, ParsedPrincipal>();

/**
 * Reads `context.principal`: what `createPrincipal` or our own authentication made, or a plain object that `createPrincipal`
 * accepts. The object is read once in an operation, so that two looks at it see the same.
 * @returns null for an anonymous caller: null, undefined, or no context at all
 * @throws GraphQLError `INTERNAL_SERVER_ERROR` for anything else, with a message that names the mistake and no value
 */
export function readContextPrincipal(context: unknown): Principal | null {
  if (typeof context !== 'object' || context === null) return null;
  const { principal: value } = context as { principal?: unknown }; // any context, so the key may lack
  if (value === null || value === undefined) return null;
  const parsed = parsedByContext.get(context);
  if (parsed !== undefined && parsed.value === value) return parsed.principal;
  const principal = parse(value);
  if (typeof principal === 'string') throw principalError(principal);
  if (principal !== value) parsedByContext.set(context, { value, principal });
  return principal;
}

/** The next operation reads the principal again, also in a context that several operations share. */
export function dropContextPrincipal(context: unknown): void {
  if (hasReadPrincipal(context)) parsedByContext.delete(context);
}

/** Whether an object that describes a caller has been read for this context. */
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
