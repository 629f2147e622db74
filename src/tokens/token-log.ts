// Logs why tokens are rejected; the response to the caller does not say. An attacker can cause rejections at will, so that the
// number of lines is limited for each cause, and one cause cannot suppress another.
import type { Log } from '../utils/log.ts';

/** Level and message by cause: `debug` for mistakes of a caller, `warn` for likely mistakes in the configuration. */
const CAUSES = {
  NOT_A_JWT: ['debug', 'token rejected: not a JWT'],
  SIGNATURE_ENCODING: ['debug', 'token rejected: signature is not in canonical base64url'],
  HEADER: ['debug', 'token rejected: header not acceptable'],
  SIGNATURE: ['debug', 'token rejected: signature does not match the key'],
  EXPIRED: ['debug', 'token rejected: expired'],
  REVOKED: ['debug', 'token rejected: session revoked'],
  ROLES_CHANGED: ['debug', 'token rejected: roles changed since it was issued'],
  KEYS_UNAVAILABLE: ['debug', 'token not verified: signing keys unavailable'],
  ALGORITHM: ['warn', 'token rejected: algorithm not accepted'],
  KEY: ['warn', 'token rejected: no signing key matches its header'],
  KEY_UNUSABLE: ['warn', 'token rejected: signing key cannot be used'],
  TYPE: ['warn', 'token rejected: wrong type (typ)'],
  ISSUER: ['warn', 'token rejected: wrong issuer'],
  ISSUER_SLASH: ['warn', 'token rejected: issuer differs in its trailing slash'],
  AUDIENCE: ['warn', 'token rejected: wrong audience'],
  NOT_YET_VALID: ['warn', 'token rejected: not valid yet; clocks may differ'],
  CLAIM: ['warn', 'token rejected: required claim missing or of the wrong type'],
  IGNORED_CLAIM: ['warn', 'claim of a token ignored: wrong type'],
  KEYS_UNREACHABLE: ['warn', 'signing keys cannot be fetched'],
  KEYS_TOO_OLD: ['warn', 'signing keys too old: not refreshed within maxKeyAgeSeconds'],
  KEYS_UNREFRESHED: ['warn', 'unknown signing key not fetched: too many fetches for unknown keys'],
  REVOCATIONS_UNAVAILABLE: ['warn', 'token not accepted: revocations unavailable'],
} as const satisfies Record<string, readonly ['debug' | 'warn', string]>;

export type TokenLogCause = keyof typeof CAUSES;

/** Logs one cause; never throws. */
export type ReportCause = (cause: TokenLogCause, fields?: object) => void;

const WINDOW_MS = 60_000;
/** Maximum lines of one cause in a window. Repeated warnings with equal fields are left out too. */
const MAX_LINES = { debug: 10, warn: 3 } as const;

interface CauseWindow {
  startedAt: number;
  lines: number;
  /** Fields of the window's lines, as JSON; at most one entry for each line. */
  seen: Set<string>;
  suppressed: number;
}

/**
 * Creates a log with at most 3 warnings of one cause a minute, each with different fields, and at most 10 debug lines. The next line
 * of the cause has the number of those left out in `suppressed`.
 *
 * @param context fields of every line, such as the issuer
 * @param clock milliseconds. @default performance.now
 */
export function createTokenLog(
  log: Pick<Log, 'debug' | 'warn'>,
  context: object,
  clock: () => number = () => performance.now(),
): ReportCause {
  const windows = new Map<TokenLogCause, CauseWindow>();

  return (cause, fields = {}) => {
    const [level, message] = CAUSES[cause];
    const key = level === 'warn' ? toKey(fields) : '';
    const window = windows.get(cause) ?? { startedAt: -Infinity, lines: 0, seen: new Set(), suppressed: 0 };
    windows.set(cause, window);
    if (clock() - window.startedAt >= WINDOW_MS) {
      window.startedAt = clock();
      window.lines = 0;
      window.seen.clear();
    }
    if (window.lines >= MAX_LINES[level] || (level === 'warn' && window.seen.has(key))) {
      window.suppressed += 1;
      return;
    }
    const { suppressed } = window;
    window.lines += 1;
    window.suppressed = 0;
    window.seen.add(key);
    try {
      log[level]({ cause, ...context, ...fields, ...(suppressed > 0 && { suppressed }) }, message);
    } catch {
      // A failing logger must not affect the decision about a token.
    }
  };
}

/** An error from an application's key function may have circular references, or other values that JSON cannot represent. */
function toKey(fields: object): string {
  try {
    return JSON.stringify(fields);
  } catch {
    return '';
  }
}

const MAX_VALUE_LENGTH = 120;

/**
 * Makes a value of a token's header or claims safe for the log: cuts a string to 120 characters and escapes what is not printable;
 * replaces any other value by its type.
 */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value !== 'string') return describeType(value);
  const cut = value.length > MAX_VALUE_LENGTH ? `${value.slice(0, MAX_VALUE_LENGTH)}…` : value;
  // Category C: control and format characters, including direction marks and lone surrogates.
  return cut.replace(/[\p{C}\u2028\u2029]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

/** Describes a JSON value without showing it, such as `a list with a number`. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (!Array.isArray(value)) return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  const other = value.find((item) => typeof item !== 'string');
  if (other === undefined) return 'a list';
  return `a list with ${Array.isArray(other) ? 'a list' : describeType(other)}`;
}
