// Warns at start of a configuration that is valid but insecure.
import { statSync } from 'node:fs';
import type { Log } from '../utils/log.ts';
import type { Config } from './config.ts';
import { SECRET_FILE } from './secret-file.ts';
import { measureSecret } from './secret-strength.ts';

const OTHERS_MAY_READ = 0o044;

export function warnAtStart({ secret, databaseUrl }: Pick<Config, 'secret' | 'databaseUrl'>, log: Log): void {
  if (secret !== undefined && measureSecret(secret) === 'weak') {
    log.warn({}, 'BANDHA_SECRET is weak; create one with: openssl rand -base64 32');
  }
  const database = /^sqlite:(?!:memory:)(.+)$/.exec(databaseUrl)?.[1];
  for (const file of [secret === undefined ? SECRET_FILE : undefined, database]) {
    if (file !== undefined && isReadableByOthers(file)) {
      log.warn({ file }, 'file is readable by other users of this machine; run chmod 600 on it');
    }
  }
}

function isReadableByOthers(file: string): boolean {
  // Windows has no such permission bits.
  if (process.platform === 'win32') return false;
  const { mode = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return (mode & OTHERS_MAY_READ) !== 0;
}
