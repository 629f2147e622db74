// Warnings at start about valid but insecure configurations.
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { warnAtStart } from '../../../src/config/startup-warnings.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { withFolder } from '../../support/server-process.ts';

const STRONG = 'vJ3mQ8sT1xZ6bN0cK5fL9wR2yH7dG4pA';

function warningsOf(config: { secret: string | undefined; databaseUrl: string }): string[] {
  const lines: string[] = [];
  warnAtStart(config, pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line).msg);
}

it('warns of a database file that other users can read, not of a private one', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'bandha.db');
    const config = { secret: STRONG, databaseUrl: `sqlite:${file}` };
    expect(warningsOf(config)).toEqual([]);
    await (await openStore(config.databaseUrl)).close();
    expect(warningsOf(config)).toEqual([]);
    for (const mode of [0o644, 0o640, 0o604]) {
      await chmod(file, mode);
      expect(warningsOf(config)).toEqual([expect.stringContaining('readable by other users')]);
    }
  }));

it('warns of a weak secret without its value', () => {
  const secret = 'a secret of thirty-two characters';
  const warnings = warningsOf({ secret, databaseUrl: 'sqlite::memory:' });
  expect(warnings).toEqual([expect.stringContaining('openssl rand -base64 32')]);
  expect(warnings.join()).not.toContain(secret);
  expect(warningsOf({ secret: STRONG, databaseUrl: 'postgres://host/database' })).toEqual([]);
});
