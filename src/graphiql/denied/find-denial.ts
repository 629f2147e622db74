// What an answer was refused for, and whether signing in helps.
import type { OperationResponse, ResponseError } from '../send-operation.ts';

export interface Denial {
  /** `sign-in`: signing in helps, also a caller who is signed in; `forbidden`: it does not; `failed`: no result came. */
  kind: 'sign-in' | 'forbidden' | 'failed';
  text: string;
  /** The field that needs a role which the caller does not have, such as `Query.payroll`. */
  lacksRoleFor: string | undefined;
  /** Whether a header of the user's own said who is asking; then the panel cannot help. */
  hasOwnToken: boolean;
}

const TEXTS: Readonly<Record<string, (place: string) => string>> = {
  MISSING_TOKEN: (place) => `${place} is for signed-in callers.`,
  REAUTHENTICATION_REQUIRED: (place) => `${place} needs a more recent sign-in.`,
  TOKEN_EXPIRED: () => 'The access token has expired.',
  TOKEN_REVOKED: () => 'The session has ended.',
  TOKEN_MALFORMED: () => 'The token is not one.',
  TOKEN_INVALID: () => 'The token is not valid here.',
  MISSING_ROLE: (place) => `${place} needs a role that you do not have.`,
  POLICY_DENIED: (place) => `A policy of ${place} does not allow this.`,
};

/** @returns null where nothing was refused for who the caller is */
export function findDenial(
  { body: answer, missingScope }: OperationResponse,
  hasOwnToken: boolean,
): Denial | null {
  const find = (code: string) => answer.errors?.find(({ extensions }) => extensions?.code === code);
  // What signing in does not mend is said first, or the caller would sign in for nothing.
  const error = find('FORBIDDEN') ?? find('UNAUTHENTICATED');
  if (error === undefined) return null;
  const { code, reason, coordinate } = error.extensions ?? {};
  const kind = code === 'FORBIDDEN' ? 'forbidden' : 'sign-in';
  return {
    kind,
    text: wordsFor(error, missingScope),
    lacksRoleFor: reason === 'MISSING_ROLE' ? coordinate : undefined,
    hasOwnToken,
  };
}

/** The coordinate as the user writes the field. */
export function toPlace(coordinate: string): string {
  return coordinate.replace(/^(Query|Mutation|Subscription)\./, '');
}

function wordsFor({ message, extensions }: ResponseError, missingScope: string | undefined): string {
  const { reason = '', coordinate = 'This field' } = extensions ?? {};
  const place = toPlace(coordinate);
  if (reason === 'MISSING_SCOPE' && missingScope) return `${place} needs the scope ${missingScope}.`;
  return TEXTS[reason]?.(place) ?? message;
}
