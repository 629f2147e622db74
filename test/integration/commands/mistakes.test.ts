// Mistakes of a user at a terminal: each command prints one sentence, exits with the right code, and changes nothing.

import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Finished, runBandha, serverEnv, withFolder } from '../../support/server-process.ts';
import { GOOD_PASSWORD } from '../../support/test-server.ts';

function run(args: string[], env: Record<string, string> = {}, input = ''): Promise<Finished> {
  return withFolder((folder) => runIn(folder, args, env, input));
}
function runIn(
  folder: string,
  args: string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Finished> {
  return runBandha(args, { env: serverEnv(folder, env), cwd: folder, input });
}
function expectSentence({ code, stdout, stderr }: Finished, expectedCode: number, sentence: RegExp): void {
  expect({ code, stdout }).toEqual({ code: expectedCode, stdout: '' });
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.split('\n').length).toBeLessThanOrEqual(3);
}

describe('a command for a database that does not exist', () => {
  it.each<[string[]]>([
    [['users', 'list']],
    [['users', 'disable', 'ada@example.com']],
    [['users', 'roles', 'add', 'ada@example.com', 'editor']],
    [['users', 'roles', 'remove', 'ada@example.com', 'editor']],
    [['users', 'unlock', 'ada@example.com']],
    [['keys', 'list']],
  ])('exits with 1 and creates nothing: %j', (args) =>
    withFolder(async (folder) => {
      const nested = join(folder, 'missing', 'bandha.db');
      for (const path of [join(folder, 'bandha.db'), nested]) {
        const result = await runIn(folder, args, { DATABASE_URL: `sqlite:${path}` });
        expectSentence(
          result,
          1,
          /^There is no database at DATABASE_URL yet\. Start the server to create it: /,
        );
        expect(existsSync(path)).toBe(false);
      }
      expect(existsSync(join(folder, 'missing'))).toBe(false);
    }),
  );

  it('exits with 1 for an empty file and for a database in memory', async () => {
    await withFolder(async (folder) => {
      writeFileSync(join(folder, 'empty.db'), '');
      for (const path of [join(folder, 'empty.db'), ':memory:']) {
        const result = await runIn(folder, ['users', 'list'], { DATABASE_URL: `sqlite:${path}` });
        expectSentence(result, 1, /^There is no database at DATABASE_URL yet/);
      }
    });
  });

  it('creates the database for the first user', async () => {
    await withFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'new', 'bandha.db')}`;
      const added = await runIn(folder, ['users', 'add', 'ada@example.com'], { DATABASE_URL }, GOOD_PASSWORD);
      expect(added).toEqual({ code: 0, stdout: 'Added ada@example.com.\n', stderr: '' });
      expect((await runIn(folder, ['users', 'list'], { DATABASE_URL })).stdout).toContain('ada@example.com');
    });
  });
});

describe('a database path that cannot be used', () => {
  it.each<[string, (folder: string) => string, RegExp]>([
    ['a text file', (folder) => join(folder, 'notes.txt'), /the file is not an SQLite database/],
    ['a folder', (folder) => join(folder, 'folder'), /is a folder, not a file/],
    ['a path through a file', (folder) => join(folder, 'notes.txt', 'x.db'), /a part of the path is a file/],
    [
      'a path deep below a file',
      (folder) => join(folder, 'notes.txt', 'x', 'x.db'),
      /a part of the path is a file/,
    ],
    ['a name that is too long', (folder) => join(folder, 'x'.repeat(300)), /the name is too long/],
  ])('exits with 2 and names the variable: %s', async (_, makePath, reason) => {
    await withFolder(async (folder) => {
      const text = 'not a database, but notes that someone needs\n'.repeat(100);
      writeFileSync(join(folder, 'notes.txt'), text);
      mkdirSync(join(folder, 'folder'));
      const DATABASE_URL = `sqlite:${makePath(folder)}`;
      for (const args of [['serve'], ['users', 'add', 'ada@example.com']]) {
        const result = await runIn(folder, args, { DATABASE_URL }, GOOD_PASSWORD);
        expectSentence(result, 2, /^ {2}DATABASE_URL: must name an SQLite database: /m);
        expect(result.stderr).toMatch(reason);
        expect(result.stderr).not.toContain(folder);
      }
    });
  });

  it('exits with 2 and names .bandha/secret if it cannot be used', async () => {
    await withFolder(async (folder) => {
      writeFileSync(join(folder, '.bandha'), '');
      const result = await runIn(folder, ['serve'], { BANDHA_SECRET: '' });
      expectSentence(result, 2, /^ {2}\.bandha\/secret: must be a file .*: a part of the path is a file/m);
    });
  });
});

describe('bandha serve', () => {
  it.each([
    ['an unknown name', 'nosuchhost.invalid'],
    ['an address of another machine', '192.0.2.1'],
    ['not a name', 'a b'],
  ])('exits with 2 if HOST is %s', async (_, HOST) => {
    expectSentence(await run(['serve'], { HOST }), 2, /^ {2}HOST: must be an address of this machine/m);
  });

  it('exits with 1 if another program uses the port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expectSentence(await run(['serve'], { PORT: String(port) }), 1, new RegExp(`^Port ${port} is in use\\.`));
    other.close();
  });
});

describe('a command', () => {
  it.each([
    ['a server that is down', 'postgres://a:s3cret@127.0.0.1:1/db', 1, /^The database cannot be reached/],
    [
      'a host that is unknown',
      'postgres://a:s3cret@nosuchhost.invalid/db',
      1,
      /^The database cannot be reached/,
    ],
    [
      'a certificate that is missing',
      'postgres://a:s3cret@127.0.0.1:1/db?sslrootcert=/no.pem',
      1,
      /cannot be reached/,
    ],
    ['a URL without a database', 'postgres://a:s3cret@127.0.0.1/', 2, /DATABASE_URL: must be/],
  ])('prints one sentence if DATABASE_URL names %s', async (_, DATABASE_URL, code, sentence) => {
    const result = await run(['users', 'list'], { DATABASE_URL });
    expectSentence(result, code, sentence);
    expect(result.stderr).not.toContain('s3cret');
  });

  it('names an unknown option and prints the usage, nothing else', async () => {
    const { code, stderr } = await run(['serve', '--port', '5000']);
    expect(code).toBe(2);
    expect(stderr.trim()).toBe("Unknown option '--port'.\nUsage: bandha serve");
  });
});

describe('bandha users add', () => {
  it.each(['nope', '', 'a b@example.com', '@example.com'])(
    'rejects %j before it reads a password',
    async (email) => {
      expectSentence(await run(['users', 'add', email]), 1, /^The email address is not valid/);
    },
  );

  it('rejects a registered email and an empty role before it reads a password', async () => {
    await withFolder(async (folder) => {
      await runIn(folder, ['users', 'add', 'ada@example.com'], {}, GOOD_PASSWORD);
      const again = await runIn(folder, ['users', 'add', 'ADA@example.com']);
      expectSentence(again, 1, /^An account with this email already exists/);
      const { code, stderr } = await runIn(folder, ['users', 'add', 'bob@example.com', '--role', ' ']);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/role/i) });
      expect(stderr).not.toContain('password on');
    });
  });
});

describe('bandha schema', () => {
  const explain = (sdl: string, ...args: string[]) =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'app.graphql'), sdl);
      return runIn(folder, ['schema', 'app.graphql', ...args]);
    });

  it.each([
    ['a missing file', 'nosuch.graphql', /^nosuch\.graphql: the file does not exist/],
    ['a folder', '.', /^\.: is a folder, not a file/],
  ])('names the path of %s', async (_, file, sentence) => {
    expectSentence(await run(['schema', file]), 1, sentence);
  });

  it.each([
    ['a syntax error', 'type Query {', /^app\.graphql: Syntax Error/],
    ['an unknown type', 'type Query { a: Nope }', /^app\.graphql: Unknown type "Nope"/],
    ['no definitions', '', /^app\.graphql: Syntax Error/],
  ])('names the file with %s', async (_, sdl, sentence) => {
    const { code, stdout, stderr } = await explain(sdl);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('counts only fields of the application with --fail-on-unprotected', async () => {
    const passes = ['extend type Query { news: String @public }', 'extend type User { nick: String @auth }'];
    for (const sdl of passes) {
      const { code, stderr } = await explain(sdl, '--fail-on-unprotected');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    for (const [sdl, field] of [
      ['extend type Query { news: String }', 'Query.news'],
      ['extend type Query { p: Post @public } type Post { id: ID }', 'Post.id'],
    ] as const) {
      const { code, stderr } = await explain(sdl, '--fail-on-unprotected');
      expect(code).toBe(1);
      expect(stderr).toBe(`${field}: must have an access rule or @public\nUnprotected: 1 field.\n`);
    }
  });

  it('explains a schema with its own root type without Bandha’s fields', async () => {
    const { code, stdout } = await explain(
      'schema { query: Root } type Root { a: Int @auth }',
      '--explain',
      '--format',
      'json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).fields.map(({ coordinate }: { coordinate: string }) => coordinate)).toEqual([
      'Root.a',
    ]);
  });
});
