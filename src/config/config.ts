// The configuration: read from an environment, with every fault found at once and never a value shown.
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { findLimitIssues, type RateLimitOptions } from '../rate-limits/buckets.ts';
import { parseRange } from '../rate-limits/network.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../tokens/algorithms.ts';
import { MIN_SECRET_LENGTH } from '../tokens/secrets.ts';
import { normalizeEmail } from '../utils/email.ts';
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

/** What a configuration has where nothing is said. */
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
/** The whole numbers: from and to. */
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

const areRanges = (ranges: unknown) =>
  Array.isArray(ranges) && ranges.every((range) => typeof range === 'string' && parseRange(range));
const RANGES_OF_PROXIES =
  'must be CIDR ranges separated by commas, such as 10.0.0.0/8,2001:db8::/32, and not all addresses';

/** The configuration as code gives it; what the environment gives is read into this. */
const CONFIG = z.strictObject({
  ...mapValues(RANGES, ([min, max]) => {
    const message = `must be a whole number from ${min} to ${max}`;
    return z.int(message).min(min, message).max(max, message);
  }),
  host: z.string().min(1, 'must not be empty'),
  databaseUrl: z
    .string()
    .refine(
      isDatabaseUrl,
      'must be sqlite: and a path without //, such as sqlite:.bandha/bandha.db, or postgres://user:password@host:5432/database with what is special percent-encoded',
    ),
  secret: z
    .string()
    .min(MIN_SECRET_LENGTH, { error: `must have at least ${MIN_SECRET_LENGTH} characters`, abort: true })
    .refine((secret) => measureSecret(secret) !== 'guessable', {
      error:
        'must not be easy to guess, as repeated patterns, sequences and common words are; make one with: openssl rand -base64 32',
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
  trustedProxies: z.custom<readonly string[]>(areRanges, RANGES_OF_PROXIES),
  logLevel: oneOf(LOG_LEVELS),
  production: z.boolean('must be true or false'),
});

/** One row a variable. */
const VARIABLES: Readonly<Record<string, keyof Config | 'adminEmail' | 'adminPassword'>> = {
  HOST: 'host',
  PORT: 'port',
  DATABASE_URL: 'databaseUrl',
  BANDHA_SECRET: 'secret',
  BANDHA_ISSUER: 'issuer',
  BANDHA_AUDIENCE: 'audience',
  BANDHA_ACCESS_TTL_SECONDS: 'accessTtlSeconds',
  BANDHA_SESSION_TTL_SECONDS: 'sessionTtlSeconds',
  BANDHA_SESSION_IDLE_SECONDS: 'sessionIdleSeconds',
  BANDHA_REFRESH_GRACE_SECONDS: 'refreshGraceSeconds',
  BANDHA_MAX_STALE_SECONDS: 'maxStaleSeconds',
  BANDHA_KEY_MAX_AGE_SECONDS: 'keyMaxAgeSeconds',
  BANDHA_POOL_SIZE: 'poolSize',
  BANDHA_STATEMENT_TIMEOUT_SECONDS: 'statementTimeoutSeconds',
  BANDHA_CONNECT_TIMEOUT_SECONDS: 'connectTimeoutSeconds',
  BANDHA_BODY_TIMEOUT_SECONDS: 'bodyTimeoutSeconds',
  BANDHA_KEEP_ALIVE_SECONDS: 'keepAliveSeconds',
  BANDHA_MAX_SUBSCRIPTIONS: 'maxSubscriptions',
  BANDHA_MAX_SUBSCRIPTIONS_PER_SESSION: 'maxSubscriptionsPerSession',
  BANDHA_SIGNUP: 'signup',
  BANDHA_GRAPHIQL: 'graphiql',
  BANDHA_METRICS: 'metrics',
  BANDHA_ON_DENIED: 'onDenied',
  BANDHA_ADMIN_EMAIL: 'adminEmail',
  BANDHA_ADMIN_PASSWORD: 'adminPassword',
  BANDHA_TRUSTED_PROXIES: 'trustedProxies',
  BANDHA_LOG_LEVEL: 'logLevel',
};

/**
 * Reads the configuration from an environment. An empty value counts as unset.
 * @throws ConfigError naming the variable of every issue, without any value
 * @example const bandha = await createBandha({ ...loadConfig(process.env), typeDefs, resolvers })
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const production = env.NODE_ENV === 'production';
  const input: Record<string, unknown> = { production };
  const issues: string[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    const key = Object.hasOwn(VARIABLES, variable) ? VARIABLES[variable] : undefined;
    if (key !== undefined) input[key] = parseValue(key, value);
    else if (variable.startsWith('BANDHA_')) issues.push(`${variable}: is not a known variable`);
  }
  const { adminEmail, adminPassword, ...config } = input;
  issues.push(...findIssues(config, variableOf));
  issues.push(...findAdminIssues(adminEmail, adminPassword));
  if (input.metrics !== undefined && input.metrics === (input.port ?? DEFAULT_CONFIG.port)) {
    issues.push('BANDHA_METRICS: must be another port than PORT');
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const admin = adminEmail === undefined ? undefined : { email: adminEmail, password: adminPassword };
  return resolveConfig({ ...config, admin } as Partial<Config>); // `faultsOf` has looked at every value
}

/**
 * The defaults with what `given` says in their place.
 * @throws ConfigError naming every value given in code that is out of its range
 */
export function resolveConfig(input: Partial<Config>): Config {
  const defined = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const issues = findIssues(defined, (key) => key);
  if (issues.length > 0) throw new ConfigError(issues);
  return { ...DEFAULT_CONFIG, graphiql: input.production !== true, ...defined };
}

/** From an environment's text to a value of the kind that the key has; what cannot be read stays text, and a fault. */
function parseValue(key: string, value: string): unknown {
  if (key in RANGES) return /^\d{1,15}$/.test(value) ? Number(value) : value;
  if ((key === 'graphiql' || key === 'metrics') && (value === 'on' || value === 'off')) return value === 'on';
  if (key === 'metrics' && /^\d{1,5}$/.test(value)) return Number(value);
  if (key === 'trustedProxies') return value.split(',').map((range) => range.trim());
  return value;
}

function isDatabaseUrl(url: string): boolean {
  if (/^sqlite:(?!\/\/)./.test(url)) return true;
  if (!/^postgres(ql)?:\/\/./.test(url) || !URL.canParse(url)) return false;
  // What is special in a password and not encoded ends up in one of these.
  const { pathname, hash } = new URL(url);
  return /^\/[^/@]+$/.test(pathname) && hash === '';
}

function variableOf(key: string): string {
  return Object.entries(VARIABLES).find(([, name]) => name === key)?.[0] ?? key;
}

/** What the environment has in place of true and false. */
const SWITCHES: Readonly<Record<string, string>> = {
  BANDHA_GRAPHIQL: 'must be one of on, off',
  BANDHA_METRICS: 'must be on, off or a port from 1 to 65535',
};

/** One line a fault: the name, and what the value must be. */
function findIssues(input: Readonly<Record<string, unknown>>, nameOf: (key: string) => string): string[] {
  const zodIssues = CONFIG.partial().safeParse(input).error?.issues ?? [];
  const issues = zodIssues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: is not a known option`);
    const name = nameOf(String(issue.path[0]));
    return `${name}: ${SWITCHES[name] ?? issue.message}`;
  });
  if (input.production === true && input.secret === undefined) {
    issues.push(`${nameOf('secret')}: is required when NODE_ENV=production`);
  }
  return issues;
}

function mapValues<T extends object, R>(object: T, map: (value: T[keyof T]) => R): { [K in keyof T]: R } {
  // Object.entries forgets the types of keys and values; both come from `object`.
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)])) as {
    [K in keyof T]: R;
  };
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, `must be one of ${values.join(', ')}`);
}

function findAdminIssues(email: unknown, password: unknown): string[] {
  if (email === undefined && password === undefined) return [];
  if (email === undefined) return ['BANDHA_ADMIN_EMAIL: is required with BANDHA_ADMIN_PASSWORD'];
  if (password === undefined) return ['BANDHA_ADMIN_PASSWORD: is required with BANDHA_ADMIN_EMAIL'];
  const normalized = normalizeEmail(String(email));
  if (normalized === undefined) return ['BANDHA_ADMIN_EMAIL: must be an email address'];
  const weakness = findPasswordIssue(String(password), normalized.email);
  return weakness === undefined ? [] : [`BANDHA_ADMIN_PASSWORD: ${weakness}`];
}
