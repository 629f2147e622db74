// `bandha schema` prints the schema, and what each field requires as a table, Markdown or JSON.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, withFolder } from '../../support/server-process.ts';

/** Runs the command on a file with this schema, or on Bandha's own. */
function explain(args: string[], sdl?: string) {
  return withFolder(async (folder) => {
    const file = join(folder, 'app.graphql');
    if (sdl !== undefined) await writeFile(file, sdl);
    return runBandha(['schema', ...(sdl === undefined ? [] : [file]), ...args], { env: serverEnv(folder) });
  });
}

describe('bandha schema', () => {
  it('prints the schema itself, with its directives', async () => {
    const { code, stdout } = await explain([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/secureData: SecureData @auth/);
  });

  it('prints each field with its requirement, and the number without one', async () => {
    const { code, stdout } = await explain(['--explain']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Query\.secureData +sign-in$/m);
    expect(stdout).toMatch(/^Query\.viewer +nothing \(public\)$/m);
    expect(stdout).toMatch(/^27 fields; 23 without a requirement, 9 of them not marked @public\.$/m);
  });

  it.each([
    ['a complete schema', 'type Query { open: Int mine: Int @auth(roles: ["a", "b"], maxAge: 60) }'],
    [
      'types that extend Bandha’s',
      'extend type Query { open: Int mine: Int @auth(roles: ["a", "b"], maxAge: 60) }',
    ],
  ])('explains %s, as JSON too', async (_, sdl) => {
    const { code, stdout } = await explain(['--explain', '--format', 'json'], sdl);
    expect(code).toBe(0);
    const { fields, unprotected } = JSON.parse(stdout);
    expect(fields).toContainEqual({
      coordinate: 'Query.mine',
      requirement: [{ roles: ['a', 'b'], maxAge: 60 }],
      isPublic: false,
    });
    expect(fields).toContainEqual({ coordinate: 'Query.open', requirement: [], isPublic: false });
    expect(unprotected).toBeGreaterThan(0);
  });

  it('prints a Markdown table', async () => {
    const { stdout } = await explain(
      ['--explain', '--format', 'markdown'],
      'type Query { a: Int @auth(scopes: [["x"], ["y", "z"]]) }',
    );
    expect(stdout).toContain(
      [
        '| field     | needs               |',
        '| --------- | ------------------- |',
        '| `Query.a` | scope x, or y and z |',
      ].join('\n'),
    );
  });

  it('exits with 1 for a field without rule or @public with --fail-on-unprotected', async () => {
    const open = await explain(['--fail-on-unprotected'], 'type Query { a: Int b: Int @auth }');
    expect(open.code).toBe(1);
    expect(open.stderr).toContain('Query.a: must have an access rule or @public');
    expect(open.stderr).not.toContain('Query.b');
    const closed = await explain(['--fail-on-unprotected'], 'type Query { a: Int @public b: Int @auth }');
    expect(closed.code).toBe(0);
    expect((await explain(['--fail-on-unprotected', '--default-deny'], 'type Query { a: Int }')).code).toBe(
      0,
    );
    expect((await explain(['--fail-on-unprotected'])).code).toBe(1);
  });

  it.each([
    [
      'an unknown format',
      ['--format', 'xml'],
      'type Query { a: Int }',
      2,
      '--format must be one of json, table, markdown',
    ],
    ['text that is no schema', ['--explain'], 'type Query {', 1, 'Syntax Error'],
    ['a misspelt argument', ['--explain'], 'type Query { a: Int @auth(role: "x") }', 1, '"role"'],
    ['a type with a name of Bandha’s', [], 'type Session { a: Int }', 1, 'Bandha defines type Session'],
    [
      'a directive that makes no rule',
      ['--explain'],
      'type Query { a: Int @auth @public }',
      1,
      'app.graphql: Query.a: must not be both public and protected',
    ],
  ])('explains the mistake in %s', async (_, args, sdl, code, message) => {
    const finished = await explain(args, sdl);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(message);
  });

  it('names a file that does not exist', async () => {
    const finished = await withFolder((folder) =>
      runBandha(['schema', join(folder, 'none.graphql')], { env: serverEnv(folder) }),
    );
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('none.graphql');
  });
});
