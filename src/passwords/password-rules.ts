// Rules for new passwords: length, not common, not derived from the email (NIST SP 800-63B, section 3.1.1.2).
import { dictionary } from '@zxcvbn-ts/language-common';

/** In characters (code points), after normalization. */
const MIN_LENGTH = 8;
const MAX_LENGTH = 256;
/** Number of most common passwords that are rejected. */
const COMMON_COUNT = 10_000;
/** Shorter local parts of an email are ignored: good passwords contain them by chance. */
const MIN_LOCAL_PART_LENGTH = 3;

// The list is in lower case, the most common password first.
const commonPasswords: ReadonlySet<string> = new Set(dictionary['passwords-common'].slice(0, COMMON_COUNT));

/** Normalizes a password for comparing and hashing: Unicode NFKC, without trimming (RFC 8265, section 4). */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC');
}

/** @returns whether a password exceeds the maximum length; true means that no account can have it */
export function isTooLong(password: string): boolean {
  // NFKC shortens a string at most to a quarter, so a much longer one is rejected without the cost of normalizing it.
  return password.length > 8 * MAX_LENGTH || [...normalizePassword(password)].length > MAX_LENGTH;
}

/**
 * Checks a new password.
 *
 * @param email email of the account; the password must not contain its local part
 * @returns the violated rule, as the end of the sentence "The password …"; undefined if the password is accepted
 */
export function findPasswordIssue(password: string, email: string): string | undefined {
  if (isTooLong(password)) return `must have at most ${MAX_LENGTH} characters`;
  const normalized = normalizePassword(password);
  if ([...normalized].length < MIN_LENGTH) return `must have at least ${MIN_LENGTH} characters`;
  const folded = normalized.toLowerCase();
  if (commonPasswords.has(folded)) return 'must not be one of the most common passwords';
  const localPart = email.slice(0, email.lastIndexOf('@')).normalize('NFKC').toLowerCase();
  if (localPart.length >= MIN_LOCAL_PART_LENGTH && folded.includes(localPart)) {
    return 'must not contain the part of the email before the @';
  }
  return undefined;
}
