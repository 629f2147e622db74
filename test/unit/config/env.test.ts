// The configuration from environment variables: defaults, ranges and issues.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Config, DEFAULT_CONFIG } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { ConfigError } from '../../../src/errors.ts';

const SECRET = 'a secret of thirty-two characters';
const DAY = 86_400;

type Env = Record<string, string | undefined>;

/** @returns the issues of an invalid environment */
function issuesIn(env: Env): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error('The environment is valid');
}

interface VariableCase {
  variable: string;
  key: keyof Config;
  byDefault: unknown;
  /** Text and resulting value. */
  valid: [text: string, value: unknown][];
  invalid: string[];
}

const VARIABLES: VariableCase[] = [
  {
    variable: 'HOST',
    key: 'host',
    byDefault: '127.0.0.1',
    valid: [
      ['0.0.0.0', '0.0.0.0'],
      ['::1', '::1'],
    ],
    invalid: [],
  },
  {
    variable: 'PORT',
    key: 'port',
    byDefault: 4000,
    valid: [
      ['0', 0],
      ['65535', 65_535],
    ],
    invalid: ['65536', '-1', '80.5', 'http', ' 80', '1e3', '0x50'],
  },
  {
    variable: 'DATABASE_URL',
    key: 'databaseUrl',
    byDefault: 'sqlite:.bandha/bandha.db',
    valid: [
      ['sqlite::memory:', 'sqlite::memory:'],
      ['sqlite:/var/x.db', 'sqlite:/var/x.db'],
      ['postgres://db.example.com/bandha', 'postgres://db.example.com/bandha'],
      [
        'postgresql://me:p%40ss@[::1]:5433/x?sslmode=require',
        'postgresql://me:p%40ss@[::1]:5433/x?sslmode=require',
      ],
      ['postgres:///x?host=/run/postgresql', 'postgres:///x?host=/run/postgresql'],
    ],
    invalid: [
      'sqlite:',
      'sqlite://x.db',
      'mysql://localhost/x',
      '.bandha/bandha.db',
      'postgres:',
      'postgres://',
      'postgres:db.example.com/bandha',
      'postgres://me:p#ss@db.example.com/bandha',
      'postgres://db.example.com:port/bandha',
      'Postgres://db.example.com/bandha',
      'http://db.example.com/bandha',
    ],
  },
  {
    variable: 'BANDHA_SECRET',
    key: 'secret',
    byDefault: undefined,
    valid: [[SECRET, SECRET]],
    invalid: ['x'.repeat(31)],
  },
  {
    variable: 'BANDHA_ISSUER',
    key: 'issuer',
    byDefault: 'http://localhost:4000',
    valid: [['https://api.example.com', 'https://api.example.com']],
    invalid: ['api.example.com', '/issuer'],
  },
  {
    variable: 'BANDHA_AUDIENCE',
    key: 'audience',
    byDefault: 'bandha',
    valid: [['my-api', 'my-api']],
    invalid: [],
  },
  {
    variable: 'BANDHA_ACCESS_TTL_SECONDS',
    key: 'accessTtlSeconds',
    byDefault: 600,
    valid: [
      ['1', 1],
      ['3600', 3600],
    ],
    invalid: ['0', '-1', '1.5', '10m'],
  },
  {
    variable: 'BANDHA_SESSION_TTL_SECONDS',
    key: 'sessionTtlSeconds',
    byDefault: 30 * DAY,
    valid: [['1', 1]],
    invalid: ['0', 'month', '99999999999'],
  },
  {
    variable: 'BANDHA_SESSION_IDLE_SECONDS',
    key: 'sessionIdleSeconds',
    byDefault: 7 * DAY,
    valid: [['1', 1]],
    invalid: ['0', 'NaN', 'Infinity'],
  },
  {
    variable: 'BANDHA_REFRESH_GRACE_SECONDS',
    key: 'refreshGraceSeconds',
    byDefault: 10,
    valid: [
      ['0', 0],
      ['30', 30],
    ],
    invalid: ['-1', 'ten'],
  },
  {
    variable: 'BANDHA_MAX_STALE_SECONDS',
    key: 'maxStaleSeconds',
    byDefault: 60,
    valid: [
      ['0', 0],
      ['5', 5],
    ],
    invalid: ['-1', 'never'],
  },
  {
    variable: 'BANDHA_KEY_MAX_AGE_SECONDS',
    key: 'keyMaxAgeSeconds',
    byDefault: 30 * DAY,
    valid: [
      ['3600', 3600],
      ['604800', 7 * DAY],
    ],
    invalid: ['3599', '0', '30d', '99999999999'],
  },
  {
    variable: 'BANDHA_BODY_TIMEOUT_SECONDS',
    key: 'bodyTimeoutSeconds',
    byDefault: 10,
    valid: [
      ['1', 1],
      ['3600', 3600],
    ],
    invalid: ['0', '3601', '-1', '2.5', 'ten'],
  },
  {
    variable: 'BANDHA_KEEP_ALIVE_SECONDS',
    key: 'keepAliveSeconds',
    byDefault: 75,
    valid: [
      ['1', 1],
      ['86400', DAY],
    ],
    invalid: ['0', '86401', '-1', '2.5', 'ten'],
  },
  {
    variable: 'BANDHA_MAX_SUBSCRIPTIONS',
    key: 'maxSubscriptions',
    byDefault: 10_000,
    valid: [
      ['1', 1],
      ['10000000', 10_000_000],
    ],
    invalid: ['0', '10000001', '-1', '2.5', 'many'],
  },
  {
    variable: 'BANDHA_MAX_SUBSCRIPTIONS_PER_SESSION',
    key: 'maxSubscriptionsPerSession',
    byDefault: 100,
    valid: [
      ['1', 1],
      ['1000', 1000],
    ],
    invalid: ['0', '-1', '2.5', 'many'],
  },
  {
    variable: 'BANDHA_POOL_SIZE',
    key: 'poolSize',
    byDefault: 10,
    valid: [
      ['1', 1],
      ['1000', 1000],
    ],
    invalid: ['0', '1001', '-1', '2.5', 'ten'],
  },
  {
    variable: 'BANDHA_STATEMENT_TIMEOUT_SECONDS',
    key: 'statementTimeoutSeconds',
    byDefault: 5,
    valid: [
      ['1', 1],
      ['3600', 3600],
    ],
    invalid: ['0', '3601', '5s', '0.5'],
  },
  {
    variable: 'BANDHA_CONNECT_TIMEOUT_SECONDS',
    key: 'connectTimeoutSeconds',
    byDefault: 2,
    valid: [
      ['1', 1],
      ['60', 60],
    ],
    invalid: ['0', '61', '2s'],
  },
  {
    variable: 'BANDHA_SIGNUP',
    key: 'signup',
    byDefault: 'open',
    valid: [
      ['open', 'open'],
      ['closed', 'closed'],
    ],
    invalid: ['Closed', 'off', 'false'],
  },
  {
    variable: 'BANDHA_GRAPHIQL',
    key: 'graphiql',
    byDefault: true,
    valid: [
      ['on', true],
      ['off', false],
    ],
    invalid: ['true', '0', 'OFF'],
  },
  {
    variable: 'BANDHA_ON_DENIED',
    key: 'onDenied',
    byDefault: 'reject',
    valid: [
      ['reject', 'reject'],
      ['null', 'null'],
    ],
    invalid: ['deny', 'NULL'],
  },
  {
    variable: 'BANDHA_TRUSTED_PROXIES',
    key: 'trustedProxies',
    byDefault: [],
    valid: [
      ['10.0.0.0/8', ['10.0.0.0/8']],
      ['10.0.0.0/8, 2001:db8::/32,192.0.2.1', ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']],
    ],
    invalid: [
      'loopback',
      '10.0.0.0/8,',
      '10.0.0.0/33',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.0/8 192.0.2.1',
      '127.1',
      'true',
    ],
  },
  {
    variable: 'BANDHA_LOG_LEVEL',
    key: 'logLevel',
    byDefault: 'info',
    valid: [
      ['silent', 'silent'],
      ['trace', 'trace'],
    ],
    invalid: ['verbose', 'INFO'],
  },
];

describe.each(VARIABLES)('$variable', ({ variable, key, byDefault, valid, invalid }) => {
  it('takes its default if it is unset or empty', () => {
    for (const env of [{}, { [variable]: '' }, { [variable]: undefined }]) {
      expect(loadConfig(env)[key]).toEqual(byDefault);
    }
  });

  it.each(valid)('accepts %s', (text, value) => {
    expect(loadConfig({ [variable]: text })).toEqual({ ...loadConfig({}), [key]: value });
  });

  for (const text of invalid) {
    it(`rejects ${text}, by name`, () => {
      const issue = expect.stringMatching(new RegExp(`^${variable}: must `));
      expect(issuesIn({ [variable]: text })).toEqual([issue]);
    });
  }
});

describe('the configured administrator', () => {
  const ADMIN = {
    BANDHA_ADMIN_EMAIL: 'ada@example.com',
    BANDHA_ADMIN_PASSWORD: 'correct horse battery staple',
  };

  it('exists only if it is configured', () => {
    expect(loadConfig({}).admin).toBeUndefined();
  });

  it('consists of an email and a password', () => {
    expect(loadConfig(ADMIN).admin).toEqual({
      email: ADMIN.BANDHA_ADMIN_EMAIL,
      password: ADMIN.BANDHA_ADMIN_PASSWORD,
    });
  });

  it.each<[string, Env, string]>([
    ['no password', { BANDHA_ADMIN_PASSWORD: '' }, 'BANDHA_ADMIN_PASSWORD'],
    ['no email', { BANDHA_ADMIN_EMAIL: undefined }, 'BANDHA_ADMIN_EMAIL'],
    ['an invalid email', { BANDHA_ADMIN_EMAIL: 'ada' }, 'BANDHA_ADMIN_EMAIL'],
    ['a common password', { BANDHA_ADMIN_PASSWORD: 'password1' }, 'BANDHA_ADMIN_PASSWORD'],
    ['a password with the email', { BANDHA_ADMIN_PASSWORD: 'I am ada today' }, 'BANDHA_ADMIN_PASSWORD'],
  ])('causes an error with %s', (_, changes, variable) => {
    expect(issuesIn({ ...ADMIN, ...changes })).toEqual([expect.stringMatching(new RegExp(`^${variable}: `))]);
  });
});

describe('loadConfig', () => {
  it('returns the defaults for an empty environment', () => {
    expect(loadConfig({})).toEqual(DEFAULT_CONFIG);
  });

  it('ignores variables that are not Bandha’s', () => {
    const others = {
      PATH: '/bin',
      HOSTNAME: 'x',
      BANDHAX: '1',
      bandha_secret: 'x',
      constructor: 'x',
      toString: 'x',
    };
    expect(loadConfig(others)).toEqual(DEFAULT_CONFIG);
  });

  it.each(['BANDHA_SECRETS', 'BANDHA_', 'BANDHA_ACCESS_TTL', 'BANDHA_signup'])(
    'rejects the unknown variable %s',
    (name) => {
      expect(issuesIn({ [name]: 'something' })).toEqual([`${name}: is not a known variable`]);
      expect(loadConfig({ [name]: '' })).toEqual(DEFAULT_CONFIG);
    },
  );

  it('reports every issue at once', () => {
    const bad = VARIABLES.flatMap(({ variable, invalid: [text] }) => (text ? [[variable, text]] : []));
    const issues = issuesIn({
      ...Object.fromEntries(bad),
      BANDHA_SECRET: undefined,
      BANDHA_TYPO: 'x',
      BANDHA_ADMIN_EMAIL: 'ada@example.com',
      NODE_ENV: 'production',
    });
    const named = issues.map((issue) => issue.split(':')[0]);
    const expected = [...bad.map(([variable]) => variable), 'BANDHA_TYPO', 'BANDHA_ADMIN_PASSWORD'];
    expect(named.toSorted()).toEqual(expected.toSorted());
  });

  it('never shows a value in an error', () => {
    const names = [
      ...VARIABLES.map(({ variable }) => variable),
      'BANDHA_ADMIN_EMAIL',
      'BANDHA_ADMIN_PASSWORD',
    ];
    const seen = new Set<string>();
    // No message has a digit next to a letter, so that none contains a value by chance.
    const value = fc
      .string({ unit: fc.constantFrom(...'q7#"\n@é🦊'), minLength: 2, maxLength: 40 })
      .map((text) => `7q${text}q7`);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'BANDHA_OTHER', 'NODE_ENV'), value), (env) => {
        try {
          loadConfig(env);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const text of Object.values(env))
            expect(`${error.message} ${error.stack}`).not.toContain(text);
          for (const issue of error.issues) seen.add(issue);
        }
      }),
    );
    expect(seen.size).toBeGreaterThan(10);
  });
});

describe('NODE_ENV=production', () => {
  const NODE_ENV = 'production';

  it('requires a secret', () => {
    for (const env of [{ NODE_ENV }, { NODE_ENV, BANDHA_SECRET: '' }]) {
      expect(issuesIn(env)).toEqual(['BANDHA_SECRET: is required when NODE_ENV=production']);
    }
  });

  it('turns GraphiQL off unless it is configured', () => {
    const production = { NODE_ENV, BANDHA_SECRET: SECRET };
    expect(loadConfig(production)).toMatchObject({ production: true, graphiql: false, secret: SECRET });
    expect(loadConfig({ ...production, BANDHA_GRAPHIQL: '' }).graphiql).toBe(false);
    expect(loadConfig({ ...production, BANDHA_GRAPHIQL: 'on' }).graphiql).toBe(true);
  });

  it('differs from every other NODE_ENV', () => {
    for (const other of ['', 'development', 'test']) {
      expect(loadConfig({ NODE_ENV: other })).toMatchObject({ production: false, graphiql: true });
    }
  });
});
