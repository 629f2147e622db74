// The command `bandha`: finds the subcommand, runs it, and prints its errors.
import { AuthError, ConfigError } from '../errors.ts';
import { describeOutage } from '../storage/outage.ts';
import { CommandError, type Terminal, UsageError } from './terminal.ts';

interface Command {
  usage: string;
  summary: string;
  /** Imports the command when it runs, so that it does not wait for dependencies of the others. */
  load: () => Promise<(args: readonly string[], terminal: Terminal) => Promise<void>>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    usage: 'serve',
    summary: 'start the server',
    load: async () => (await import('./serve.ts')).serve,
  },
  'users add': {
    usage: 'users add EMAIL [--role ROLE]...',
    summary: 'create a user; prompts for the password, or reads it from standard input',
    load: async () => (await import('./users.ts')).usersAdd,
  },
  'users list': {
    usage: 'users list',
    summary: 'list the users',
    load: async () => (await import('./users.ts')).usersList,
  },
  'users password': {
    usage: 'users password EMAIL',
    summary: 'change the password of a user and revoke their sessions',
    load: async () => (await import('./users.ts')).usersPassword,
  },
  'users disable': {
    usage: 'users disable EMAIL',
    summary: 'prevent a user from signing in and revoke their sessions',
    load: async () => (await import('./users.ts')).usersDisable,
  },
  'users unlock': {
    usage: 'users unlock EMAIL',
    summary: 'delete the rate limits of an email, in running servers too',
    load: async () => (await import('./users.ts')).usersUnlock,
  },
  'users roles add': {
    usage: 'users roles add EMAIL ROLE...',
    summary: 'add roles to a user; takes effect at once',
    load: async () => (await import('./users.ts')).usersRolesAdd,
  },
  'users roles remove': {
    usage: 'users roles remove EMAIL ROLE...',
    summary: 'remove roles from a user; takes effect at once',
    load: async () => (await import('./users.ts')).usersRolesRemove,
  },
  'keys list': {
    usage: 'keys list',
    summary: 'list the signing keys',
    load: async () => (await import('./keys.ts')).keysList,
  },
  'keys rotate': {
    usage: 'keys rotate',
    summary: 'sign new tokens with the next key',
    load: async () => (await import('./keys.ts')).keysRotate,
  },
  'keys revoke': {
    usage: 'keys revoke KID | --all',
    summary: 'delete a leaked signing key; its tokens are rejected within a second',
    load: async () => (await import('./keys.ts')).keysRevoke,
  },
  schema: {
    usage: 'schema [FILE] [--explain]',
    summary: 'print the schema, or what each of its fields requires',
    load: async () => (await import('./schema.ts')).schema,
  },
};

/**
 * Runs the command that `args` begin with.
 * @returns the exit code: 0; 1 if the command failed; 2 if the arguments or the configuration are invalid
 */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    terminal.stdout.write(help(terminal.program));
    return args.length === 0 ? 2 : 0;
  }
  const name = [3, 2, 1]
    .map((words) => args.slice(0, words).join(' '))
    .find((words) => Object.hasOwn(COMMANDS, words));
  const command = name === undefined ? undefined : COMMANDS[name];
  try {
    if (name === undefined || command === undefined) {
      throw new UsageError(`Unknown command "${findUnknownCommand(args)}".`);
    }
    const run = await command.load();
    await run(args.slice(name.split(' ').length), terminal);
    return 0;
  } catch (error) {
    return reportError(error, command, terminal);
  }
}

/** @returns the arguments up to the first one that continues no command */
function findUnknownCommand(args: readonly string[]): string {
  const isBeginning = (words: string) => Object.keys(COMMANDS).some((name) => name.startsWith(`${words} `));
  const beginnings = args.map((_, index) => args.slice(0, index + 1).join(' '));
  return beginnings.find((words) => !isBeginning(words)) ?? args.join(' ');
}

function reportError(error: unknown, command: Command | undefined, { stderr, program }: Terminal): number {
  if (error instanceof ConfigError) {
    stderr.write('Invalid configuration:\n');
    for (const issue of error.issues) stderr.write(`  ${issue}\n`);
    return 2;
  }
  if (error instanceof UsageError) {
    stderr.write(`${error.message}\n`);
    stderr.write(command ? `Usage: ${program} ${command.usage}\n` : help(program));
    return 2;
  }
  if (error instanceof AuthError) {
    const cause = error.cause === undefined ? '' : `: ${describeOutage(error.cause)}`;
    stderr.write(`${error.message}${cause}.\n`);
    return 1;
  }
  if (error instanceof CommandError) {
    stderr.write(`${error.message}\n`);
    return 1;
  }
  stderr.write(`${describeError(error, program)}\n`);
  return 1;
}

/** Describes what the user can fix; anything else with its stack. */
function describeError(error: unknown, program: string): string {
  const { code, port, syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException & { port: number }>; // may be anything
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop the other program, or choose another port: PORT=4001 ${program} serve`;
  if (code === 'EACCES') return `Permission denied: ${[syscall, path].join(' ').trim()}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function help(program: string): string {
  const rows = Object.values(COMMANDS);
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const lines = rows.map(({ usage, summary }) => `  ${program} ${usage.padEnd(width)}  ${summary}\n`);
  return `Usage:\n${lines.join('')}\nThe configuration comes from the environment: see docs/reference/configuration.md.\n`;
}
