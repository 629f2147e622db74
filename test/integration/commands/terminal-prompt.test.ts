// The password prompt on a terminal, which `script` of util-linux provides.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBandha, serverEnv, withFolder } from '../../support/server-process.ts';
import { GOOD_PASSWORD } from '../../support/test-server.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/cli.ts');
const EMAIL = 'ada@example.com';
const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

/** Runs `users add` on a terminal, answering each prompt when it stands there; gives what the terminal showed. */
async function typeInto(env: Record<string, string>, answers: readonly (readonly [string, string])[]) {
  const command = `'${process.execPath}' '${MAIN}' users add ${EMAIL}`;
  const child: ChildProcess = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env,
  });
  const left = [...answers];
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
      'makes the account where both are the same',
      [
        ['Password: ', `${GOOD_PASSWORD}\r`],
        ['Again: ', `${GOOD_PASSWORD}\r`],
      ],
      0,
      /Added ada@/,
    ],
    [
      'refuses two that differ',
      [
        ['Password: ', `${GOOD_PASSWORD}\r`],
        ['Again: ', `${GOOD_PASSWORD}r\r`],
      ],
      2,
      /differ/,
    ],
    ['ends where Ctrl+C is pressed', [['Password: ', `${GOOD_PASSWORD}\x03`]], 2, /No password was given/],
    ['ends where Ctrl+D is pressed', [['Password: ', '\x04']], 2, /No password was given/],
  ] as const)('%s, and never shows what is typed', (_, answers, expected, message) =>
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
