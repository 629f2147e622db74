// The limits to the roles of one account: every access token carries them, and a server accepts 16 kB of headers.
import { AuthError } from '../errors.ts';

/** Of one account. */
export const MAX_ROLES = 100;
/** In characters. */
export const MAX_ROLE_LENGTH = 128;
/** The roles of one account as the token has them, JSON in UTF-8; in base64url that is a third more. */
export const MAX_ROLES_BYTES = 4_096;

/** @throws AuthError `BAD_USER_INPUT`, reason `INVALID_VALUE`, if an account must not have these roles together */
export function assertRolesFit(roles: readonly string[]): void {
  if (roles.some((role) => [...role].length > MAX_ROLE_LENGTH)) {
    throw invalid(`A role must have at most ${MAX_ROLE_LENGTH} characters`);
  }
  if (roles.length > MAX_ROLES) throw invalid(`An account must have at most ${MAX_ROLES} roles`);
  if (Buffer.byteLength(JSON.stringify(roles)) > MAX_ROLES_BYTES) {
    throw invalid(`The roles of an account must have at most ${MAX_ROLES_BYTES} bytes together`);
  }
}

const invalid = (message: string) => new AuthError('INVALID_VALUE', {}, message);
