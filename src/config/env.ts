// Reads the configuration from environment variables.
import { ConfigError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { normalizeEmail } from '../utils/email.ts';
import { type Config, DEFAULT_CONFIG, findIssues, resolveConfig } from './config.ts';

/** How the text of a variable becomes the value of an option. An invalid text stays a text, which is an issue later. */
interface Variable {
  key: keyof Config | 'adminEmail' | 'adminPassword';
  parse: (text: string) => unknown;
  /** The rule, if its wording differs from that of the option. */
  rule?: string;
}

const text = (value: string) => value;
const wholeNumber = (value: string) => (/^\d{1,15}$/.test(value) ? Number(value) : value);
const onOff = (value: string) => (value === 'on' || value === 'off' ? value === 'on' : value);
const onOffOrPort = (value: string) => (/^\d{1,5}$/.test(value) ? Number(value) : onOff(value));
const list = (value: string) => value.split(',').map((item) => item.trim());

/** One row for each variable. */
const VARIABLES: Readonly<Record<string, Variable>> = {
  HOST: { key: 'host', parse: text },
  PORT: { key: 'port', parse: wholeNumber },
  DATABASE_URL: { key: 'databaseUrl', parse: text },
  BANDHA_SECRET: { key: 'secret', parse: text },
  BANDHA_ISSUER: { key: 'issuer', parse: text },
  BANDHA_AUDIENCE: { key: 'audience', parse: text },
  BANDHA_ACCESS_TTL_SECONDS: { key: 'accessTtlSeconds', parse: wholeNumber },
  BANDHA_SESSION_TTL_SECONDS: { key: 'sessionTtlSeconds', parse: wholeNumber },
  BANDHA_SESSION_IDLE_SECONDS: { key: 'sessionIdleSeconds', parse: wholeNumber },
  BANDHA_REFRESH_GRACE_SECONDS: { key: 'refreshGraceSeconds', parse: wholeNumber },
  BANDHA_MAX_STALE_SECONDS: { key: 'maxStaleSeconds', parse: wholeNumber },
  BANDHA_KEY_MAX_AGE_SECONDS: { key: 'keyMaxAgeSeconds', parse: wholeNumber },
  BANDHA_POOL_SIZE: { key: 'poolSize', parse: wholeNumber },
  BANDHA_STATEMENT_TIMEOUT_SECONDS: { key: 'statementTimeoutSeconds', parse: wholeNumber },
  BANDHA_CONNECT_TIMEOUT_SECONDS: { key: 'connectTimeoutSeconds', parse: wholeNumber },
  BANDHA_BODY_TIMEOUT_SECONDS: { key: 'bodyTimeoutSeconds', parse: wholeNumber },
  BANDHA_KEEP_ALIVE_SECONDS: { key: 'keepAliveSeconds', parse: wholeNumber },
  BANDHA_MAX_SUBSCRIPTIONS: { key: 'maxSubscriptions', parse: wholeNumber },
  BANDHA_MAX_SUBSCRIPTIONS_PER_SESSION: { key: 'maxSubscriptionsPerSession', parse: wholeNumber },
  BANDHA_SIGNUP: { key: 'signup', parse: text },
  BANDHA_GRAPHIQL: { key: 'graphiql', parse: onOff, rule: 'must be one of on, off' },
  BANDHA_METRICS: { key: 'metrics', parse: onOffOrPort, rule: 'must be on, off or a port from 1 to 65535' },
  BANDHA_ON_DENIED: { key: 'onDenied', parse: text },
  BANDHA_ADMIN_EMAIL: { key: 'adminEmail', parse: text },
  BANDHA_ADMIN_PASSWORD: { key: 'adminPassword', parse: text },
  BANDHA_TRUSTED_PROXIES: { key: 'trustedProxies', parse: list },
  BANDHA_LOG_LEVEL: { key: 'logLevel', parse: text },
};

/**
 * Reads the configuration from environment variables. An empty value counts as unset; a variable that begins with `BANDHA_` and is
 * not known is an error.
 *
 * @throws {@link ConfigError} naming the variable of every issue, without values
 * @example const bandha = await createBandha({ ...loadConfig(process.env), typeDefs, resolvers })
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const input: Record<string, unknown> = { production: env.NODE_ENV === 'production' };
  const issues: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (variable !== undefined) input[variable.key] = variable.parse(value);
    else if (name.startsWith('BANDHA_')) issues.push(`${name}: is not a known variable`);
  }
  const { adminEmail, adminPassword, ...config } = input;
  for (const { key, message } of findIssues(config)) {
    const [name = key, variable] = findVariable(key) ?? [];
    issues.push(`${name}: ${variable?.rule ?? message}`);
  }
  issues.push(...findAdminIssues(adminEmail, adminPassword));
  if (input.metrics !== undefined && input.metrics === (input.port ?? DEFAULT_CONFIG.port)) {
    issues.push('BANDHA_METRICS: must be another port than PORT');
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const admin = adminEmail === undefined ? undefined : { email: adminEmail, password: adminPassword };
  return resolveConfig({ ...config, admin } as Partial<Config>); // findIssues has checked every value
}

function findVariable(key: string): [name: string, variable: Variable] | undefined {
  return Object.entries(VARIABLES).find(([, variable]) => variable.key === key);
}

function findAdminIssues(email: unknown, password: unknown): string[] {
  if (email === undefined && password === undefined) return [];
  if (email === undefined) return ['BANDHA_ADMIN_EMAIL: is required with BANDHA_ADMIN_PASSWORD'];
  if (password === undefined) return ['BANDHA_ADMIN_PASSWORD: is required with BANDHA_ADMIN_EMAIL'];
  const normalized = normalizeEmail(String(email));
  if (normalized === undefined) return ['BANDHA_ADMIN_EMAIL: must be an email address'];
  const issue = findPasswordIssue(String(password), normalized.email);
  return issue === undefined ? [] : [`BANDHA_ADMIN_PASSWORD: ${issue}`];
}
