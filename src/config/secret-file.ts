// Creates and reads the secret of a server without a configured one, in a file that only its owner can read.
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { createSecrets, MIN_SECRET_LENGTH, type Secrets } from '../tokens/secrets.ts';
import { describeFileError, isFileError } from '../utils/file-errors.ts';
import { measureSecret } from './secret-strength.ts';

export const SECRET_FILE = '.bandha/secret';
const SECRET_BYTES = 32;

/** Uses the configured secret, or the one in `.bandha/secret`, which is created if it does not exist. */
export function openSecrets({ secret }: { secret: string | undefined }): Secrets {
  return createSecrets(secret ?? loadOrCreateSecret(SECRET_FILE));
}

/**
 * Uses the configured secret, or the one in `.bandha/secret`.
 *
 * @throws ConfigError if neither exists
 */
export function openExistingSecrets({ secret }: { secret: string | undefined }): Secrets {
  const existing = secret ?? readSecret(SECRET_FILE);
  if (existing === undefined)
    throw new ConfigError([`BANDHA_SECRET: must be set, since ${SECRET_FILE} does not exist`]);
  return createSecrets(existing);
}

/**
 * Reads the secret from a file, and creates it if it does not exist. Concurrent processes get the same secret.
 *
 * @throws ConfigError if the file has fewer than 32 characters or a guessable secret, or cannot be read or created
 */
export function loadOrCreateSecret(file: string): string {
  const existing = readSecret(file);
  if (existing !== undefined) return existing;
  // Written completely under another name, then linked: no process reads half a secret, and the first one to link wins.
  const temporaryFile = `${file}.${randomUUID()}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporaryFile, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`, {
      mode: 0o600,
      flush: true,
    });
  } catch (error) {
    throw toConfigError(file, error);
  }
  try {
    linkSync(temporaryFile, file);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(temporaryFile);
  }
  const created = readSecret(file);
  if (created === undefined) throw new Error(`${file} was deleted right after it was created`);
  return created;
}

function readSecret(file: string): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret.length >= MIN_SECRET_LENGTH && measureSecret(secret) !== 'guessable') return secret;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw toConfigError(file, error);
  }
  throw new ConfigError([
    `${file}: must contain at least ${MIN_SECRET_LENGTH} characters that are not easy to guess; create it with: openssl rand -base64 32`,
  ]);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** @returns a ConfigError if the path cannot be used, otherwise `error` */
function toConfigError(file: string, error: unknown): unknown {
  if (!isFileError(error)) return error;
  const issue = describeFileError(error, 'the file cannot be created');
  return new ConfigError([
    `${file}: must be a file that this user may read and create, or set BANDHA_SECRET: ${issue}`,
  ]);
}
