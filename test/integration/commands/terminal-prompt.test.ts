// The password prompt on a terminal, which `script` of util-linux provides.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, withFolder } from '../../support/server-process.ts';
import { GOOD_PASSWORD } from '../../support/test-server.ts';

const CLI = resolve(import.meta.dirname, '../../../src/cli.ts');
const EMAIL = 'ada@example.com';
const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

/** Runs `users add` on a terminal and types the input for each prompt. @returns everything that the terminal showed */
async function typeInto(env: Record<string, string>, inputs: readonly (readonly [string, string])[]) {
  const command = `'${process.execPath}' '${CLI}' users add ${EMAIL}`;
  const child: ChildProcess = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env,
  });
  const left = [...inputs];
  let shown = '';
  let unread = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    unread += chunk;
    const [next] = left;
    if (next === undefined || !unread.includes(next[0])) return;
    unread = '';
    left.shift();
    child.stdin?.write(next[1]);
  });
  const [code] = await once(child, 'close');
  return { code, shown };
}

describe.skipIf(!hasScript)('the password prompt of bandha users add', () => {
  it.each([
    [
      'creates the user if both passwords match',
      [
        ['Password: ', `${GOOD_PASSWORD}\r`],
        ['Repeat password: ', `${GOOD_PASSWORD}\r`],
      ],
      0,
      /Added ada@/,
    ],
    [
      'rejects passwords that do not match',
      [
        ['Password: ', `${GOOD_PASSWORD}\r`],
        ['Repeat password: ', `${GOOD_PASSWORD}r\r`],
      ],
      2,
      /do not match/,
    ],
    ['exits on Ctrl+C', [['Password: ', `${GOOD_PASSWORD}\x03`]], 2, /No password entered/],
    ['exits on Ctrl+D', [['Password: ', '\x04']], 2, /No password entered/],
  ] as const)('%s, and never shows the input', (_, answers, expected, message) =>
    withFolder(async (folder) => {
      const env = { ...serverEnv(folder), TERM: 'xterm', SHELL: '/bin/sh' };
      const { code, shown } = await typeInto(env, answers);
      expect(shown).toMatch(message);
      expect(code).toBe(expected);
      expect(shown).not.toContain(GOOD_PASSWORD);
      expect(shown).not.toContain('*');
      const { stdout } = await runBandha(['users', 'list'], { env });
      expect(stdout.includes(EMAIL)).toBe(expected === 0);
    }),
  );
});
