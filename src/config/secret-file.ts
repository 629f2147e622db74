// The secret of a server that was given none: made once, and kept where only its owner reads it.
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { createSecrets, MIN_SECRET_LENGTH, type Secrets } from '../tokens/secrets.ts';
import { describeFileError, isFileError } from '../utils/file-errors.ts';
import { measureSecret } from './secret-strength.ts';

export const SECRET_FILE = '.bandha/secret';
const SECRET_BYTES = 32;

/** What the configured secret is used for; where none is configured, the one in `.bandha/secret`, made where it is missing. */
export function openSecrets({ secret }: { secret: string | undefined }): Secrets {
  return createSecrets(secret ?? loadOrCreateSecret(SECRET_FILE));
}

/**
 * The same where there must be a secret already.
 * @throws ConfigError where there is none
 */
export function openExistingSecrets({ secret }: { secret: string | undefined }): Secrets {
  const known = secret ?? readSecret(SECRET_FILE);
  if (known === undefined)
    throw new ConfigError([`BANDHA_SECRET: is not set, and ${SECRET_FILE} does not exist`]);
  return createSecrets(known);
}

/**
 * Reads the secret from a file, making it where it is missing; of several processes at once, all get the same.
 * @throws ConfigError where the file holds fewer than 32 characters
 */
export function loadOrCreateSecret(file: string): string {
  const existing = readSecret(file);
  if (existing !== undefined) return existing;
  // Written whole under another name, then linked: no one reads half a secret, and the first to link wins.
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
  if (created === undefined) throw new Error(`${file} was made and is gone again`);
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
    `${file}: must hold at least ${MIN_SECRET_LENGTH} characters that cannot be guessed, such as from: openssl rand -base64 32`,
  ]);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** For a path that cannot be used; any other error as it is. */
function toConfigError(file: string, error: unknown): unknown {
  if (!isFileError(error)) return error;
  const issue = describeFileError(error, 'the file cannot be created');
  return new ConfigError([
    `${file}: must be a file that this user may read and create, or set BANDHA_SECRET: ${issue}`,
  ]);
}
