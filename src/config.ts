// The configuration: read from an environment, with every fault found at once and never a value shown.
import { z } from 'zod';
import { normalizeEmail } from './accounts/email.ts';
import { ConfigError } from './errors.ts';
import { checkPassword } from './passwords/check-password.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from './tokens/algorithms.ts';

/** Everything a server needs to know; DESIGN 4.5 has the table. Durations are in seconds. */
export interface Config {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** `sqlite:` and a path; relative paths start at the working directory. */
  databaseUrl: string;
  /** At least 32 characters. Absent: made once and kept in `.bandha/secret`. */
  secret: string | undefined;
  issuer: string;
  audience: string;
  /** JWS algorithm of new access tokens; not in the environment. */
  algorithm: SigningAlgorithm;
  accessTtlSeconds: number;
  sessionTtlSeconds: number;
  sessionIdleSeconds: number;
  refreshGraceSeconds: number;
  maxStaleSeconds: number;
  signup: 'open' | 'closed';
  graphiql: boolean;
  onDenied: 'reject' | 'null';
  /** An account with role `admin`, made at start if it does not exist. */
  admin: { email: string; password: string } | undefined;
  logLevel: LogLevel;
  production: boolean;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

const DAY_SECONDS = 24 * 60 * 60;
const MIN_SECRET_LENGTH = 32;

/** What a configuration has where nothing is said. */
export const DEFAULT_CONFIG: Config = {
  host: '127.0.0.1',
  port: 4000,
  databaseUrl: 'sqlite:.bandha/bandha.db',
  secret: undefined,
  issuer: 'http://localhost:4000',
  audience: 'bandha',
  algorithm: 'EdDSA',
  accessTtlSeconds: 600,
  sessionTtlSeconds: 30 * DAY_SECONDS,
  sessionIdleSeconds: 7 * DAY_SECONDS,
  refreshGraceSeconds: 10,
  maxStaleSeconds: 60,
  signup: 'open',
  graphiql: true,
  onDenied: 'reject',
  admin: undefined,
  logLevel: 'info',
  production: false,
};

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);
const seconds = (min: number) => wholeNumber(min, 10 * 365 * DAY_SECONDS);
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

/** One row a variable. */
const VARIABLES = {
  HOST: z.string(),
  PORT: wholeNumber(0, 65535),
  DATABASE_URL: z
    .string()
    .regex(/^sqlite:.+/, 'must be sqlite: and a path, such as sqlite:.bandha/bandha.db'),
  BANDHA_SECRET: z.string().min(MIN_SECRET_LENGTH, `must have at least ${MIN_SECRET_LENGTH} characters`),
  BANDHA_ISSUER: z.url('must be a URL'),
  BANDHA_AUDIENCE: z.string(),
  BANDHA_ACCESS_TTL_SECONDS: seconds(1),
  BANDHA_SESSION_TTL_SECONDS: seconds(1),
  BANDHA_SESSION_IDLE_SECONDS: seconds(1),
  BANDHA_REFRESH_GRACE_SECONDS: seconds(0),
  BANDHA_MAX_STALE_SECONDS: seconds(0),
  BANDHA_SIGNUP: oneOf(['open', 'closed']),
  BANDHA_GRAPHIQL: oneOf(['on', 'off']),
  BANDHA_ON_DENIED: oneOf(['reject', 'null']),
  BANDHA_ADMIN_EMAIL: z.string(),
  BANDHA_ADMIN_PASSWORD: z.string(),
  BANDHA_LOG_LEVEL: oneOf(LOG_LEVELS),
  NODE_ENV: z.string(),
};

/**
 * Reads the configuration from an environment. An empty value counts as unset.
 * @throws ConfigError naming every fault, by variable, without any value
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => value !== '' && (name in VARIABLES || /^BANDHA_/.test(name)),
    ),
  );
  const parsed = z.object(VARIABLES).partial().strict().safeParse(set);
  const faults = parsed.error?.issues.flatMap(describeIssue) ?? [];
  const value = (parsed.data ?? {}) as z.output<z.ZodObject<typeof VARIABLES>> extends infer V
    ? Partial<V>
    : never;

  const production = set.NODE_ENV === 'production';
  if (production && set.BANDHA_SECRET === undefined) {
    faults.push('BANDHA_SECRET: is required when NODE_ENV=production');
  }
  faults.push(...adminFaults(set.BANDHA_ADMIN_EMAIL, set.BANDHA_ADMIN_PASSWORD));
  if (faults.length > 0) throw new ConfigError(faults);

  const { BANDHA_ADMIN_EMAIL: email, BANDHA_ADMIN_PASSWORD: password } = value;
  return completeConfig({
    host: value.HOST,
    port: value.PORT,
    databaseUrl: value.DATABASE_URL,
    secret: value.BANDHA_SECRET,
    issuer: value.BANDHA_ISSUER,
    audience: value.BANDHA_AUDIENCE,
    accessTtlSeconds: value.BANDHA_ACCESS_TTL_SECONDS,
    sessionTtlSeconds: value.BANDHA_SESSION_TTL_SECONDS,
    sessionIdleSeconds: value.BANDHA_SESSION_IDLE_SECONDS,
    refreshGraceSeconds: value.BANDHA_REFRESH_GRACE_SECONDS,
    maxStaleSeconds: value.BANDHA_MAX_STALE_SECONDS,
    signup: value.BANDHA_SIGNUP,
    graphiql: value.BANDHA_GRAPHIQL ? value.BANDHA_GRAPHIQL === 'on' : !production,
    onDenied: value.BANDHA_ON_DENIED,
    admin: email && password ? { email, password } : undefined,
    logLevel: value.BANDHA_LOG_LEVEL,
    production,
  });
}

/**
 * The defaults with what `given` says in their place.
 * @throws ConfigError where a value given in code is out of its range
 */
export function completeConfig(given: Partial<Config>): Config {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const config = { ...DEFAULT_CONFIG, ...said } as Config; // every key of `said` comes from a Partial<Config>
  const faults: string[] = [];
  if (config.secret !== undefined && config.secret.length < MIN_SECRET_LENGTH) {
    faults.push(`secret: must have at least ${MIN_SECRET_LENGTH} characters`);
  }
  if (!isSigningAlgorithm(config.algorithm)) faults.push('algorithm: must be EdDSA, ES256 or RS256');
  for (const key of ['accessTtlSeconds', 'sessionTtlSeconds', 'sessionIdleSeconds'] as const) {
    if (!Number.isInteger(config[key]) || config[key] < 1)
      faults.push(`${key}: must be a whole number from 1`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: is not a known variable`);
  return [`${String(issue.path[0])}: ${issue.message}`];
}

function adminFaults(email: string | undefined, password: string | undefined): string[] {
  if (email === undefined && password === undefined) return [];
  if (email === undefined) return ['BANDHA_ADMIN_EMAIL: is required with BANDHA_ADMIN_PASSWORD'];
  if (password === undefined) return ['BANDHA_ADMIN_PASSWORD: is required with BANDHA_ADMIN_EMAIL'];
  const normalized = normalizeEmail(email);
  if (normalized === undefined) return ['BANDHA_ADMIN_EMAIL: must be an email address'];
  const weakness = checkPassword(password, normalized.email);
  return weakness === undefined ? [] : [`BANDHA_ADMIN_PASSWORD: ${weakness}`];
}
