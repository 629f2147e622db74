// Which passwords are accepted: length, not common, not the email again (NIST SP 800-63B, section 3.1.1.2).
import { dictionary } from '@zxcvbn-ts/language-common';

const MIN_LENGTH = 8;
const MAX_LENGTH = 256;
const COMMON_COUNT = 10_000;
/** A local part shorter than this stands in too many good passwords by chance. */
const MIN_LOCAL_PART_LENGTH = 3;

// The list is ordered by frequency, the most common first, in lower case.
const common: ReadonlySet<string> = new Set(dictionary['passwords-common'].slice(0, COMMON_COUNT));

/** A password as it is compared and hashed: Unicode NFKC, nothing trimmed (RFC 8265, section 4). */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Whether a password is longer than any that is accepted. */
export function isTooLong(password: string): boolean {
  // NFKC can shorten a string at most four to one; what is longer than that need not be normalized.
  return password.length > 8 * MAX_LENGTH || [...normalizePassword(password)].length > MAX_LENGTH;
}

/**
 * Why a new password is refused, as the end of a sentence; undefined if it is accepted.
 * @param email the account's address, whose local part must not stand in the password
 */
export function findPasswordIssue(password: string, email: string): string | undefined {
  if (isTooLong(password)) return `must have at most ${MAX_LENGTH} characters`;
  const normalized = normalizePassword(password);
  if ([...normalized].length < MIN_LENGTH) return `must have at least ${MIN_LENGTH} characters`;
  const folded = normalized.toLowerCase();
  if (common.has(folded)) return 'must not be one of the most common passwords';
  const localPart = email.slice(0, email.lastIndexOf('@')).normalize('NFKC').toLowerCase();
  if (localPart.length >= MIN_LOCAL_PART_LENGTH && folded.includes(localPart)) {
    return 'must not contain the part of the email before the @';
  }
  return undefined;
}
