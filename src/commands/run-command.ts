// The command `bandha`: finds the subcommand, runs it, and says in plain words what went wrong.
import { AuthError, ConfigError } from '../errors.ts';
import { describeOutage } from '../storage/outage.ts';
import { CommandError, type Terminal, UsageError } from './terminal.ts';

interface Command {
  usage: string;
  summary: string;
  /** Loaded when it is run: a command need not wait for what another one needs. */
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
    summary: 'make an account; asks for the password, or reads it from standard input',
    load: async () => (await import('./users.ts')).usersAdd,
  },
  'users list': {
    usage: 'users list',
    summary: 'list the accounts',
    load: async () => (await import('./users.ts')).usersList,
  },
  'users password': {
    usage: 'users password EMAIL',
    summary: 'change the password of an account and end its sessions',
    load: async () => (await import('./users.ts')).usersPassword,
  },
  'users disable': {
    usage: 'users disable EMAIL',
    summary: 'lock an account out and end its sessions',
    load: async () => (await import('./users.ts')).usersDisable,
  },
  'users unlock': {
    usage: 'users unlock EMAIL',
    summary: 'delete the rate limits of an account, in running servers too',
    load: async () => (await import('./users.ts')).usersUnlock,
  },
  'users roles add': {
    usage: 'users roles add EMAIL ROLE...',
    summary: 'give an account roles; takes effect at once',
    load: async () => (await import('./users.ts')).usersRolesAdd,
  },
  'users roles remove': {
    usage: 'users roles remove EMAIL ROLE...',
    summary: 'take roles away from an account; takes effect at once',
    load: async () => (await import('./users.ts')).usersRolesRemove,
  },
  'keys list': {
    usage: 'keys list',
    summary: 'list the signing keys',
    load: async () => (await import('./keys.ts')).keysList,
  },
  'keys rotate': {
    usage: 'keys rotate',
    summary: 'sign new tokens with the next key from now on',
    load: async () => (await import('./keys.ts')).keysRotate,
  },
  'keys revoke': {
    usage: 'keys revoke KID | --all',
    summary: 'delete a signing key that has leaked; its tokens are rejected within a second',
    load: async () => (await import('./keys.ts')).keysRevoke,
  },
  schema: {
    usage: 'schema [FILE] [--explain]',
    summary: 'print the schema, or what each field of it needs',
    load: async () => (await import('./schema.ts')).schema,
  },
};

/** @returns the exit code: 0; 1 where something failed; 2 where the configuration or the call is wrong */
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
      throw new UsageError(`There is no command "${findUnknownCommand(args)}".`);
    }
    const run = await command.load();
    await run(args.slice(name.split(' ').length), terminal);
    return 0;
  } catch (error) {
    return reportError(error, command, terminal);
  }
}

/** The words up to the first one with which no command goes on. */
function findUnknownCommand(args: readonly string[]): string {
  const isBeginning = (words: string) => Object.keys(COMMANDS).some((name) => name.startsWith(`${words} `));
  const beginnings = args.map((_, index) => args.slice(0, index + 1).join(' '));
  return beginnings.find((words) => !isBeginning(words)) ?? args.join(' ');
}

function reportError(error: unknown, command: Command | undefined, { stderr, program }: Terminal): number {
  if (error instanceof ConfigError) {
    stderr.write(`The configuration has ${error.issues.length === 1 ? 'a fault' : 'faults'}:\n`);
    for (const issue of error.issues) stderr.write(`  ${issue}\n`);
    return 2;
  }
  if (error instanceof UsageError) {
    stderr.write(`${error.message}\n`);
    stderr.write(command ? `Usage: ${program} ${command.usage}\n` : help(program));
    return 2;
  }
  if (error instanceof AuthError) {
    const because = error.cause === undefined ? '' : `: ${describeOutage(error.cause)}`;
    stderr.write(`${error.message}${because}.\n`);
    return 1;
  }
  if (error instanceof CommandError) {
    stderr.write(`${error.message}\n`);
    return 1;
  }
  stderr.write(`${describe(error, program)}\n`);
  return 1;
}

/** The failures a person can do something about, in words; anything else as it is. */
function describe(error: unknown, program: string): string {
  const { code, port, message } = (error ?? {}) as { code?: string; port?: number; message?: string }; // may be anything
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken. Stop what uses it, or choose another: PORT=4001 ${program} serve`;
  if (code === 'EACCES') return `Not allowed: ${message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function help(program: string): string {
  const rows = Object.values(COMMANDS);
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const lines = rows.map(({ usage, summary }) => `  ${program} ${usage.padEnd(width)}  ${summary}\n`);
  return `Usage:\n${lines.join('')}\nThe configuration comes from the environment: see docs/reference/configuration.md.\n`;
}
