// An invalid configuration: every issue at once, by variable, and never a value.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, withFolder } from '../../support/server-process.ts';

const ADMIN = { BANDHA_ADMIN_EMAIL: 'root@example.com', BANDHA_ADMIN_PASSWORD: 'a passphrase nobody knows' };

/** The mistake; the environment; the variables that the error names, in any order. */
const ROWS: [string, Record<string, string>, string[]][] = [
  [
    'many variables at once',
    {
      PORT: '70123',
      DATABASE_URL: 'mysql://dba:letmein-db@host/db',
      BANDHA_SECRET: 'too-short-a-secret',
      BANDHA_ISSUER: 'no-url-at-all',
      BANDHA_ACCESS_TTL_SECONDS: '-5m',
      BANDHA_SIGNUP: 'sometimes',
      BANDHA_GRAPHIQL: 'perhaps',
      BANDHA_LOG_LEVEL: 'chatty',
      BANDHA_COLOUR: 'cornflower',
      BANDHA_SECRETS: 'a misspelt name with a real secret in it',
      BANDHA_ADMIN_EMAIL: 'chief@example.com',
    },
    [
      'PORT',
      'DATABASE_URL',
      'BANDHA_SECRET',
      'BANDHA_ISSUER',
      'BANDHA_ACCESS_TTL_SECONDS',
      'BANDHA_SIGNUP',
      'BANDHA_GRAPHIQL',
      'BANDHA_LOG_LEVEL',
      'BANDHA_COLOUR',
      'BANDHA_SECRETS',
      'BANDHA_ADMIN_PASSWORD',
    ],
  ],
  ['no secret in production', { NODE_ENV: 'production', BANDHA_SECRET: '' }, ['BANDHA_SECRET']],
  ['an admin password without email', { ...ADMIN, BANDHA_ADMIN_EMAIL: '' }, ['BANDHA_ADMIN_EMAIL']],
  ['a common admin password', { ...ADMIN, BANDHA_ADMIN_PASSWORD: 'password1' }, ['BANDHA_ADMIN_PASSWORD']],
];

describe('bandha serve', () => {
  it.each(ROWS)('exits with 2 and names each variable: %s', (_, wrong, names) =>
    withFolder(async (folder) => {
      const env = serverEnv(folder, wrong);
      const { code, stdout, stderr } = await runBandha(['serve'], { env, cwd: folder });
      expect(stderr).toMatch(/^Invalid configuration:\n/);
      const named = [...stderr.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name);
      expect(named.toSorted()).toEqual(names.toSorted());
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      const values = Object.entries(env).filter(([name, value]) => /BANDHA|URL/.test(name) && value !== '');
      for (const [, value] of values) expect(stderr).not.toContain(value);
      // Nothing was created before the configuration was checked.
      expect(existsSync(join(folder, 'bandha.db'))).toBe(false);
      expect(existsSync(join(folder, '.bandha'))).toBe(false);
    }),
  );
});
