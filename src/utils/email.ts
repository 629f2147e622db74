// Validates and normalizes email addresses.

/** An email address: `email` to display, `key` to compare. */
export interface NormalizedEmail {
  email: string;
  key: string;
}

const MAX_EMAIL_LENGTH = 254; // RFC 5321, section 4.5.3.1.3, less the angle brackets
const LOCAL_PART = /^[^\s@\p{C}"(),:;<>[\]\\.]+(\.[^\s@\p{C}"(),:;<>[\]\\.]+)*$/u;
const MAX_LOCAL_PART_LENGTH = 64;
const DOMAIN_LABEL = /^[\p{L}\p{N}]([\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?$/u;

/**
 * Trims and normalizes (NFC) an address of the form `local@domain`. Letters of any script are allowed (RFC 6531); quoted local parts
 * and address literals are not.
 *
 * @returns undefined if it is not an address or has more than 254 characters
 */
export function normalizeEmail(input: string): NormalizedEmail | undefined {
  // Normalization can lengthen a string, so that a far too long one is rejected before it.
  if (input.length > 4 * MAX_EMAIL_LENGTH) return undefined;
  const email = input.trim().normalize('NFC');
  if ([...email].length > MAX_EMAIL_LENGTH) return undefined;
  const at = email.lastIndexOf('@');
  const local = email.slice(0, Math.max(at, 0));
  const labels = email.slice(at + 1).split('.');
  if ([...local].length > MAX_LOCAL_PART_LENGTH || !LOCAL_PART.test(local)) return undefined;
  if (!labels.every((label) => DOMAIN_LABEL.test(label))) return undefined;
  return { email, key: email.toLowerCase().normalize('NFC') };
}
