// Options and defaults of a server, and their validation: every issue at once, never with a value.
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { findLimitIssues, type RateLimitOptions } from '../rate-limits/buckets.ts';
import { parseRange } from '../rate-limits/network.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../tokens/algorithms.ts';
import { MIN_SECRET_LENGTH } from '../tokens/secrets.ts';
import { measureSecret } from './secret-strength.ts';

/** The configuration of a server, as {@link loadConfig} reads it from the environment. Durations are in seconds. */
export interface Config {
  /** The network interface to listen on. @default '127.0.0.1' */
  host: string;
  /** The TCP port to listen on; 0 lets the system choose one. @default 4000 */
  port: number;
  /** `sqlite:` and a path, relative to the working directory if it does not begin with `/`; or `postgres://…`. @default 'sqlite:.bandha/bandha.db' */
  databaseUrl: string;
  /** Connections to PostgreSQL, in addition to one for the revocation feed. @default 10 */
  poolSize: number;
  /** Seconds that a statement may take in PostgreSQL. @default 5 */
  statementTimeoutSeconds: number;
  /** Seconds to wait for a connection to PostgreSQL. @default 2 */
  connectTimeoutSeconds: number;
  /** Encrypts signing keys and authenticates refresh tokens. At least 32 characters; required in production. @default created at the first start, in `.bandha/secret` */
  secret: string | undefined;
  /** The `iss` of access tokens: the public URL of the server. @default 'http://localhost:4000' */
  issuer: string;
  /** The `aud` of access tokens. @default 'bandha' */
  audience: string;
  /** JWS algorithm of new access tokens. An option of the library, not in the environment. @default 'EdDSA' */
  algorithm: SigningAlgorithm;
  /** Lifetime of an access token in seconds. @default 600 */
  accessTtlSeconds: number;
  /** Seconds after sign-in at which a session ends, however often it is refreshed. @default 2592000, 30 days */
  sessionTtlSeconds: number;
  /** Seconds after which a session ends if it is not refreshed. @default 604800, 7 days */
  sessionIdleSeconds: number;
  /** Seconds in which a refresh token that was used before gives the same successor again, because its response may have been lost. @default 10 */
  refreshGraceSeconds: number;
  /** Seconds to accept tokens while revocations cannot be read; after that they fail with `REVOCATIONS_UNAVAILABLE`. @default 60 */
  maxStaleSeconds: number;
  /** Seconds after which a signing key is replaced by the next one. @default 2592000, 30 days */
  keyMaxAgeSeconds: number;
  /** Seconds for the body of a request to arrive. @default 10 */
  bodyTimeoutSeconds: number;
  /** Open subscriptions of all callers of the process; anonymous callers have half of them at most. @default 10,000 */
  maxSubscriptions: number;
  /** Open subscriptions of one session. @default 100 */
  maxSubscriptionsPerSession: number;
  /** Seconds that `serve` keeps an idle connection open. @default 75 */
  keepAliveSeconds: number;
  /** `open`: everyone can register. `closed`: the schema has no `register`. @default 'open' */
  signup: 'open' | 'closed';
  /** Whether GraphiQL and introspection are available. @default true, false in production */
  graphiql: boolean;
  /** Whether `GET /metrics` is served; a number serves it on that port of `host` instead. @default true */
  metrics: boolean | number;
  /** Response to denied fields: `reject` the whole operation, or make each field `null` with an error. @default 'reject' */
  onDenied: 'reject' | 'null';
  /** An account with the role `admin`, created at start if it does not exist. @default none */
  admin: { email: string; password: string } | undefined;
  /** CIDR ranges of the proxies whose `X-Forwarded-For` names the client. @default none */
  trustedProxies: readonly string[];
  /** Rate limits that differ from their defaults, by bucket. An option of the library, not in the environment. @default {} */
  limits: RateLimitOptions;
  /** Least severe level that `bandha serve` logs. @default 'info' */
  logLevel: LogLevel;
  /** Whether a secret is required, and introspection limited to permitted fields. @default whether `NODE_ENV` is `production` */
  production: boolean;
}

/** A mistake in one option. */
export interface ConfigIssue {
  key: string;
  /** The rule, such as `must be a URL`; follows the name of the option or of its variable. */
  message: string;
}

const LOG_LEVELS = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] as const satisfies readonly LogLevel[];
/** The levels of pino. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

const DAY_SECONDS = 24 * 60 * 60;

/** Values of options that are not set. */
export const DEFAULT_CONFIG: Config = {
  host: '127.0.0.1',
  port: 4000,
  databaseUrl: 'sqlite:.bandha/bandha.db',
  poolSize: 10,
  statementTimeoutSeconds: 5,
  connectTimeoutSeconds: 2,
  secret: undefined,
  issuer: 'http://localhost:4000',
  audience: 'bandha',
  algorithm: 'EdDSA',
  accessTtlSeconds: 600,
  sessionTtlSeconds: 30 * DAY_SECONDS,
  sessionIdleSeconds: 7 * DAY_SECONDS,
  refreshGraceSeconds: 10,
  maxStaleSeconds: 60,
  keyMaxAgeSeconds: 30 * DAY_SECONDS,
  bodyTimeoutSeconds: 10,
  keepAliveSeconds: 75,
  maxSubscriptions: 10_000,
  maxSubscriptionsPerSession: 100,
  signup: 'open',
  graphiql: true,
  metrics: true,
  onDenied: 'reject',
  admin: undefined,
  trustedProxies: [],
  limits: {},
  logLevel: 'info',
  production: false,
};

const MAX_SECONDS = 10 * 365 * DAY_SECONDS;
/** Minimum and maximum of the options that are whole numbers. */
const RANGES = {
  port: [0, 65535],
  accessTtlSeconds: [1, MAX_SECONDS],
  sessionTtlSeconds: [1, MAX_SECONDS],
  sessionIdleSeconds: [1, MAX_SECONDS],
  refreshGraceSeconds: [0, MAX_SECONDS],
  maxStaleSeconds: [0, MAX_SECONDS],
  keyMaxAgeSeconds: [60 * 60, MAX_SECONDS],
  poolSize: [1, 1_000],
  statementTimeoutSeconds: [1, 60 * 60],
  connectTimeoutSeconds: [1, 60],
  bodyTimeoutSeconds: [1, 60 * 60],
  keepAliveSeconds: [1, 24 * 60 * 60],
  maxSubscriptions: [1, 10_000_000],
  maxSubscriptionsPerSession: [1, 10_000_000],
} as const satisfies Partial<Record<keyof Config, readonly [number, number]>>;
const SIGNUP = ['open', 'closed'] as const satisfies readonly Config['signup'][];
const ON_DENIED = ['reject', 'null'] as const satisfies readonly Config['onDenied'][];

const CONFIG = z
  .strictObject({
    ...mapValues(RANGES, ([min, max]) => {
      const message = `must be a whole number from ${min} to ${max}`;
      return z.int(message).min(min, message).max(max, message);
    }),
    host: z.string().min(1, 'must not be empty'),
    databaseUrl: z
      .string()
      .refine(
        isDatabaseUrl,
        'must be sqlite: and a path without //, such as sqlite:.bandha/bandha.db, or postgres://user:password@host:5432/database with special characters percent-encoded',
      ),
    secret: z
      .string()
      .min(MIN_SECRET_LENGTH, { error: `must have at least ${MIN_SECRET_LENGTH} characters`, abort: true })
      .refine((secret) => measureSecret(secret) !== 'guessable', {
        error:
          'must not be easy to guess, such as repeated patterns, sequences and common words; create one with: openssl rand -base64 32',
      })
      .optional(),
    issuer: z.url('must be a URL'),
    audience: z.string().min(1, 'must not be empty'),
    algorithm: oneOf(SIGNING_ALGORITHMS),
    signup: oneOf(SIGNUP),
    graphiql: z.boolean('must be true or false'),
    metrics: z.union(
      [z.boolean(), z.int().min(1).max(65_535)],
      'must be true, false or a port from 1 to 65535',
    ),
    onDenied: oneOf(ON_DENIED),
    admin: z.object({ email: z.string(), password: z.string() }).optional(),
    limits: z.unknown().superRefine((limits, context) => {
      for (const message of findLimitIssues(limits)) context.addIssue({ code: 'custom', message });
    }),
    trustedProxies: z.custom<readonly string[]>(
      areRanges,
      'must be CIDR ranges separated by commas, such as 10.0.0.0/8,2001:db8::/32, and not all addresses',
    ),
    logLevel: oneOf(LOG_LEVELS),
    production: z.boolean('must be true or false'),
  })
  .partial();

/**
 * Fills in the defaults.
 *
 * @throws ConfigError naming the option of every issue, without values
 */
export function resolveConfig(input: Partial<Config>): Config {
  const defined = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const issues = findIssues(defined);
  if (issues.length > 0) throw new ConfigError(issues.map(({ key, message }) => `${key}: ${message}`));
  return { ...DEFAULT_CONFIG, graphiql: input.production !== true, ...defined };
}

/** @returns the mistakes in `input`, without values */
export function findIssues(input: Readonly<Record<string, unknown>>): ConfigIssue[] {
  const zodIssues = CONFIG.safeParse(input).error?.issues ?? [];
  const issues = zodIssues.flatMap((issue): ConfigIssue[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ key, message: 'is not a known option' }));
    }
    return [{ key: String(issue.path[0]), message: issue.message }];
  });
  if (input.production === true && input.secret === undefined) {
    issues.push({ key: 'secret', message: 'is required when NODE_ENV=production' });
  }
  return issues;
}

function areRanges(ranges: unknown): boolean {
  return Array.isArray(ranges) && ranges.every((range) => typeof range === 'string' && parseRange(range));
}

function isDatabaseUrl(url: string): boolean {
  if (/^sqlite:(?!\/\/)./.test(url)) return true;
  if (!/^postgres(ql)?:\/\/./.test(url) || !URL.canParse(url)) return false;
  // A special character in a password that is not percent-encoded ends up in one of these parts.
  const { pathname, hash } = new URL(url);
  return /^\/[^/@]+$/.test(pathname) && hash === '';
}

function mapValues<T extends object, R>(object: T, map: (value: T[keyof T]) => R): { [K in keyof T]: R } {
  // Object.entries loses the types of keys and values; both come from `object`.
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)])) as {
    [K in keyof T]: R;
  };
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, `must be one of ${values.join(', ')}`);
}
