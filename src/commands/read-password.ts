// Passwords come from a prompt that does not show them, or from standard input; never from an argument.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Terminal, UsageError } from './terminal.ts';

/**
 * Asks twice on a terminal; elsewhere reads standard input to its end, less the last line break.
 * @throws UsageError where nothing was given, or the two differ
 */
export async function readPassword({ stdin, stderr }: Terminal): Promise<string> {
  if (!stdin.isTTY) {
    const given = (await text(stdin)).replace(/\r?\n$/, '');
    if (given === '') throw new UsageError('No password came on standard input.');
    return given;
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  const prompt = (question: string) => {
    stderr.write(question);
    return new Promise<string>((resolve, reject) => {
      lines.once('close', () => reject(new UsageError('\nNo password was given.')));
      lines.question('', (input) => {
        stderr.write('\n');
        resolve(input);
      });
    });
  };
  try {
    const first = await prompt('Password: ');
    const second = await prompt('Again: ');
    if (first !== second) throw new UsageError('The two passwords differ.');
    return first;
  } finally {
    lines.close();
  }
}
