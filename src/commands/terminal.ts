// Input, output and errors of the commands.
import type { Readable, Writable } from 'node:stream';

/** Environment, streams and signals of a command; `cli.ts` passes those of the process. */
export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable;
  /** How the user calls this program, for hints: `bandha`, or `npm run bandha --`. */
  program: string;
  /** Aborted when the process receives a signal to stop. */
  stop: AbortSignal;
}

/** A command was called incorrectly. The message is followed by its usage; exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A command failed for a reason that the user can act on. The message is printed alone; exit code 1. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** @returns such as `1 session` or `2 sessions` */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
