// The log of a verifier: why each token was rejected, for the operator alone. Callers choose most of what is rejected, so lines
// are limited for each cause, and one cause cannot suppress another.
import type { Log } from '../utils/log.ts';

/** Levels: `debug` for mistakes of a caller, `warn` for what looks like a mistake in the configuration. */
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
  NOT_YET_VALID: ['warn', 'token rejected: not valid yet; do the clocks differ?'],
  CLAIM: ['warn', 'token rejected: required claim missing or of the wrong type'],
  IGNORED_CLAIM: ['warn', 'claim of a token ignored: wrong type'],
  KEYS_UNREACHABLE: ['warn', 'signing keys cannot be fetched'],
  KEYS_TOO_OLD: ['warn', 'signing keys too old: not refreshed within maxKeyAgeSeconds'],
  KEYS_UNREFRESHED: ['warn', 'unknown signing key not looked for: too many fetches for unknown keys'],
  REVOCATIONS_UNAVAILABLE: ['warn', 'token not accepted: revocations unavailable'],
} as const satisfies Record<string, readonly ['debug' | 'warn', string]>;

export type TokenLogCause = keyof typeof CAUSES;

/** Logs one cause; never throws. */
export type ReportCause = (cause: TokenLogCause, fields?: object) => void;

const WINDOW_MS = 60_000;
/** Lines of one cause in a minute. Warnings of one cause in a minute have different fields. */
const MAX_LINES = { debug: 10, warn: 3 } as const;

interface CauseWindow {
  startedAt: number;
  lines: number;
  /** Fields that the window's lines have, as JSON: at most one entry a line. */
  seen: Set<string>;
  suppressed: number;
}

/**
 * Logs at most 3 warnings of one cause a minute, each with other fields, and at most 10 debug lines. The next line of the
 * cause has the number of those left out as `suppressed`.
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
      // A logger that fails must not decide about a token.
    }
  };
}

/** The error of an application's key function may contain itself, or anything else that is not JSON. */
function toKey(fields: object): string {
  try {
    return JSON.stringify(fields);
  } catch {
    return '';
  }
}

const MAX_VALUE_LENGTH = 120;

/**
 * Makes a value of a token's header or claims fit for the log: strings cut to 120 characters, with everything escaped that is
 * not printable; of anything else its type alone.
 */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value !== 'string') return describeType(value);
  const cut = value.length > MAX_VALUE_LENGTH ? `${value.slice(0, MAX_VALUE_LENGTH)}…` : value;
  // Category C: control and format characters, direction marks and lone surrogates among them.
  return cut.replace(/[\p{C}\u2028\u2029]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

/** Describes a JSON value without showing it, such as `a list with a number`. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (!Array.isArray(value)) return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  const odd = value.find((item) => typeof item !== 'string');
  return odd === undefined ? 'a list' : `a list with ${Array.isArray(odd) ? 'a list' : describeType(odd)}`;
}
