// Limits on the roles of one account. Every access token contains them, and a server accepts 16 kB of request headers.
import { AuthError } from '../errors.ts';

/** Maximum number of roles of one account. */
const MAX_ROLES = 100;
/** Maximum length of one role, in characters. */
const MAX_ROLE_LENGTH = 128;
/** Maximum size of all roles of one account as JSON in UTF-8. In the token, base64url makes it a third larger. */
const MAX_ROLES_BYTES = 4_096;

/** @throws {@link AuthError} `BAD_USER_INPUT`, reason `INVALID_VALUE`, if one account cannot have all of these roles */
export function assertRolesFit(roles: readonly string[]): void {
  if (roles.some((role) => [...role].length > MAX_ROLE_LENGTH)) {
    throw invalid(`A role must have at most ${MAX_ROLE_LENGTH} characters`);
  }
  if (roles.length > MAX_ROLES) throw invalid(`An account must have at most ${MAX_ROLES} roles`);
  if (Buffer.byteLength(JSON.stringify(roles)) > MAX_ROLES_BYTES) {
    throw invalid(`The roles of an account must have at most ${MAX_ROLES_BYTES} bytes in total`);
  }
}

const invalid = (message: string) => new AuthError('INVALID_VALUE', {}, message);
