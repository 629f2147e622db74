// Cryptography with keys that are derived from the configured secret, one for each purpose (HKDF, RFC 5869).
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

export type DigestPurpose = 'rate limits' | 'known networks';

/** Functions with keys that are derived from the configured secret. */
export interface Secrets {
  /** Encrypts and authenticates a text (AES-256-GCM). `name` is authenticated too: `open` needs the same name. */
  seal(plaintext: string, name: string): string;
  /** Decrypts a sealed text. @returns undefined if the secret or the name differs, or the text was changed */
  open(sealed: string, name: string): string | undefined;
  /** @returns the message authentication code (HMAC-SHA-256, RFC 2104), 43 base64url characters */
  mac(message: string): string;
  /**
   * Creates the pseudonym of a text (HMAC-SHA-256, cut to 128 bits), 22 base64url characters. The same text and purpose give the
   * same pseudonym. Without the secret, it cannot be found by trying a list of addresses.
   */
  digest(purpose: DigestPurpose, text: string): string;
  /** @returns whether `mac` is the code of `message`, compared in constant time */
  isMac(mac: string, message: string): boolean;
}

/** Minimum length of the configured secret, in characters. */
export const MIN_SECRET_LENGTH = 32;

/** 128 bits, in base64url characters. */
const DIGEST_LENGTH = 22;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createSecrets(secret: string): Secrets {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'bandha', purpose, 32));
  const sealKey = derive('signing keys at rest');
  const macKey = derive('refresh tokens');
  const digestKeys: Readonly<Record<DigestPurpose, Buffer>> = {
    'rate limits': derive('rate limits'),
    'known networks': derive('known networks'),
  };
  const mac = (message: string) => createHmac('sha256', macKey).update(message).digest('base64url');

  return {
    mac,
    digest: (purpose, text) =>
      createHmac('sha256', digestKeys[purpose]).update(text).digest('base64url').slice(0, DIGEST_LENGTH),
    isMac(candidate, message) {
      const expected = Buffer.from(mac(message));
      const actual = Buffer.from(candidate);
      return actual.length === expected.length && timingSafeEqual(actual, expected);
    },
    seal(plaintext, name) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, iv).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(sealed, name) {
      const bytes = Buffer.from(sealed, 'base64url');
      try {
        const decipher = createDecipheriv('aes-256-gcm', sealKey, bytes.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        })
          .setAAD(Buffer.from(name))
          .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        const opened = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
