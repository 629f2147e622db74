// Finds out why a response was denied, and whether signing in helps.
import type { OperationResponse, ResponseError } from '../send-operation.ts';

export interface Denial {
  /**
   * `sign-in`: signing in helps, or signing in again; `forbidden`: it does not help; `failed`: there is no GraphQL result.
   */
  kind: 'sign-in' | 'forbidden' | 'failed';
  /** One sentence for the user. */
  text: string;
  /** Coordinate of the field that requires a role the caller lacks, such as `Query.payroll`. */
  lacksRoleFor: string | undefined;
  /** Whether the user's own `Authorization` header was sent; then signing in has no effect. */
  hasOwnToken: boolean;
}

/** By `extensions.reason`. */
const TEXTS: Readonly<Record<string, (field: string) => string>> = {
  MISSING_TOKEN: (field) => `${field} requires a signed-in user.`,
  REAUTHENTICATION_REQUIRED: (field) => `${field} requires a more recent sign-in.`,
  TOKEN_EXPIRED: () => 'The access token has expired.',
  TOKEN_REVOKED: () => 'The session was revoked.',
  TOKEN_MALFORMED: () => 'The access token is malformed.',
  TOKEN_INVALID: () => 'The access token is not valid for this server.',
  MISSING_ROLE: (field) => `${field} requires a role that you do not have.`,
  POLICY_DENIED: (field) => `A policy denies access to ${field}.`,
};

/** @returns null if no field was denied */
export function findDenial({ body, missingScope }: OperationResponse, hasOwnToken: boolean): Denial | null {
  const find = (code: string) => body.errors?.find(({ extensions }) => extensions?.code === code);
  // FORBIDDEN first: if signing in cannot make the operation succeed, the page must not suggest it.
  const error = find('FORBIDDEN') ?? find('UNAUTHENTICATED');
  if (error === undefined) return null;
  const { code, reason, coordinate } = error.extensions ?? {};
  return {
    kind: code === 'FORBIDDEN' ? 'forbidden' : 'sign-in',
    text: describeError(error, missingScope),
    lacksRoleFor: reason === 'MISSING_ROLE' ? coordinate : undefined,
    hasOwnToken,
  };
}

/** Converts a coordinate to a name for the user: `Query.payroll` to `payroll`, `User.salary` stays. */
export function toFieldName(coordinate: string): string {
  return coordinate.replace(/^(Query|Mutation|Subscription)\./, '');
}

function describeError({ message, extensions }: ResponseError, missingScope: string | undefined): string {
  const { reason = '', coordinate = 'This field' } = extensions ?? {};
  const field = toFieldName(coordinate);
  if (reason === 'MISSING_SCOPE' && missingScope) {
    const scopes = missingScope.split(' ');
    return `${field} requires the ${scopes.length === 1 ? 'scope' : 'scopes'} ${scopes.join(' and ')}.`;
  }
  return TEXTS[reason]?.(field) ?? message;
}
