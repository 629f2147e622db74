// What a command needs of the process it runs in; main.ts hands over the real one.
import type { Readable, Writable } from 'node:stream';

export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable;
  /** How the person calls this program, for hints: `bandha`, or `npm run bandha --`. */
  program: string;
  /** Aborted when the process is asked to stop. */
  stop: AbortSignal;
}

/** A command was called with the wrong words. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The command was understood, and could not do what was asked; the message is all that a person needs. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandFailure';
  }
}
