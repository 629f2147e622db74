// Reads a password from a prompt that does not show it, or from standard input. Arguments would appear in process lists.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Terminal, UsageError } from './terminal.ts';

/**
 * Prompts twice on a terminal; otherwise reads all of standard input and removes the last line break.
 * @throws UsageError if there is no password, or the two do not match
 */
export async function readPassword({ stdin, stderr }: Terminal): Promise<string> {
  if (!stdin.isTTY) {
    const password = (await text(stdin)).replace(/\r?\n$/, '');
    if (password === '') throw new UsageError('No password on standard input.');
    return password;
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  const prompt = (question: string) => {
    stderr.write(question);
    return new Promise<string>((resolve, reject) => {
      lines.once('close', () => reject(new UsageError('\nNo password entered.')));
      lines.question('', (input) => {
        stderr.write('\n');
        resolve(input);
      });
    });
  };
  try {
    const first = await prompt('Password: ');
    const second = await prompt('Repeat password: ');
    if (first !== second) throw new UsageError('The passwords do not match.');
    return first;
  } finally {
    lines.close();
  }
}
