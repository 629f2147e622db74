// The logger interface, and the default logger, which writes errors and warnings to the console.
import { ConfigError } from '../errors.ts';

/**
 * A logger, such as one of pino. Messages are constant texts; values are in `fields`, an error in `fields.err`.
 *
 * @example const log: Log = pino({ level: 'info' })
 */
export interface Log {
  /** Details for troubleshooting, such as the cause of a rejected token. */
  debug(fields: object, message: string): void;
  /** Normal events, such as a sign-in. */
  info(fields: object, message: string): void;
  /** Conditions that an operator should look at. */
  warn(fields: object, message: string): void;
  /** Failed requests and outages. */
  error(fields: object, message: string): void;
  /** Yoga's own messages about single requests. @default they are dropped */
  trace?(fields: object, message: string): void;
}

export const LOG_METHODS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof Log)[];

/** Maximum length of one entry in characters: an error message may contain text from a caller. */
const MAX_ENTRY_LENGTH = 10_000;

const MAX_CAUSES = 5;

const ignore = () => {};

/** Writes errors and warnings to the console, and drops everything else. */
export const consoleLog: Log = Object.freeze({
  debug: ignore,
  info: ignore,
  // The method is looked up for each entry, because applications and test runners replace it.
  warn: (fields: object, message: string) => console.warn(formatEntry(fields, message)),
  error: (fields: object, message: string) => console.error(formatEntry(fields, message)),
});

export const silentLog: Log = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore });

/**
 * Validates the option `log`, so that a mistake is found at start.
 *
 * @param methods required methods
 * @throws ConfigError naming the methods that are missing
 */
export function assertLog(log: unknown, methods: readonly (keyof Log)[] = LOG_METHODS): void {
  const candidate = (log ?? {}) as Partial<Record<keyof Log, unknown>>; // any value: each method is checked
  const missing = methods.filter((name) => typeof candidate[name] !== 'function');
  if (missing.length === 0) return;
  throw new ConfigError([
    `log: must have the methods ${methods.join(', ')}, as a pino logger has; missing: ${missing.join(', ')}`,
  ]);
}

/**
 * Formats one entry: the message, the fields as JSON, and each error with its stack and causes. Lines after the first are indented and
 * control characters escaped, so that text from a caller cannot imitate an entry (log injection).
 */
function formatEntry(fields: object, message: string): string {
  const values: Record<string, unknown> = {};
  const stacks: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) stacks.push(formatError(value));
    else values[name] = value;
  }
  const line = Object.keys(values).length === 0 ? message : `${message} ${toJson(values)}`;
  const text = [line, ...stacks].join('\n').slice(0, MAX_ENTRY_LENGTH);
  return `bandha: ${escapeControls(text).replaceAll('\n', '\n    ')}`;
}

function formatError(error: Error): string {
  // A set, because a GraphQLError has the same stack as the error that it wraps.
  const stacks = new Set<string>();
  let cause: unknown = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_CAUSES; depth += 1) {
    stacks.add(cause.stack ?? `${cause.name}: ${cause.message}`);
    cause = cause.cause;
  }
  return [...stacks].join('\ncaused by ');
}

function toJson(values: object): string {
  try {
    return JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  } catch {
    return '(fields that are not JSON)';
  }
}

/** Escapes control characters except the line feed, including C1 controls and Unicode's line and direction marks. */
function escapeControls(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
