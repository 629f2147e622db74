// The environment: each variable's default, range and fault.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Config, DEFAULT_CONFIG, resolveConfig } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { ConfigError } from '../../../src/errors.ts';

const SECRET = 'a secret of thirty-two characters';
const DAY = 86_400;

type Env = Record<string, string | undefined>;

/** The faults that loading finds; fails the test where it finds none. */
function faultsOf(load: () => Config): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error('No fault was found');
}
const faultsIn = (env: Env) => faultsOf(() => loadConfig(env));

/** variable, key, default, [text, value]..., bad texts */
const VARIABLES: [string, keyof Config, unknown, [string, unknown][], string[]][] = [
  [
    'HOST',
    'host',
    '127.0.0.1',
    [
      ['0.0.0.0', '0.0.0.0'],
      ['::1', '::1'],
    ],
    [],
  ],
  [
    'PORT',
    'port',
    4000,
    [
      ['0', 0],
      ['65535', 65535],
    ],
    ['65536', '-1', '80.5', 'http', ' 80', '1e3', '0x50'],
  ],
  [
    'DATABASE_URL',
    'databaseUrl',
    'sqlite:.bandha/bandha.db',
    [
      ['sqlite::memory:', 'sqlite::memory:'],
      ['sqlite:/var/x.db', 'sqlite:/var/x.db'],
      ['postgres://db.example.com/bandha', 'postgres://db.example.com/bandha'],
      [
        'postgresql://me:p%40ss@[::1]:5433/x?sslmode=require',
        'postgresql://me:p%40ss@[::1]:5433/x?sslmode=require',
      ],
      ['postgres:///x?host=/run/postgresql', 'postgres:///x?host=/run/postgresql'],
    ],
    [
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
  ],
  ['BANDHA_SECRET', 'secret', undefined, [[SECRET, SECRET]], ['x'.repeat(31)]],
  [
    'BANDHA_ISSUER',
    'issuer',
    'http://localhost:4000',
    [['https://api.example.com', 'https://api.example.com']],
    ['api.example.com', '/issuer'],
  ],
  ['BANDHA_AUDIENCE', 'audience', 'bandha', [['my-api', 'my-api']], []],
  [
    'BANDHA_ACCESS_TTL_SECONDS',
    'accessTtlSeconds',
    600,
    [
      ['1', 1],
      ['3600', 3600],
    ],
    ['0', '-1', '1.5', '10m'],
  ],
  ['BANDHA_SESSION_TTL_SECONDS', 'sessionTtlSeconds', 30 * DAY, [['1', 1]], ['0', 'month', '99999999999']],
  ['BANDHA_SESSION_IDLE_SECONDS', 'sessionIdleSeconds', 7 * DAY, [['1', 1]], ['0', 'NaN', 'Infinity']],
  [
    'BANDHA_REFRESH_GRACE_SECONDS',
    'refreshGraceSeconds',
    10,
    [
      ['0', 0],
      ['30', 30],
    ],
    ['-1', 'ten'],
  ],
  [
    'BANDHA_MAX_STALE_SECONDS',
    'maxStaleSeconds',
    60,
    [
      ['0', 0],
      ['5', 5],
    ],
    ['-1', 'never'],
  ],
  [
    'BANDHA_KEY_MAX_AGE_SECONDS',
    'keyMaxAgeSeconds',
    30 * DAY,
    [
      ['3600', 3600],
      ['604800', 7 * DAY],
    ],
    ['3599', '0', '30d', '99999999999'],
  ],
  [
    'BANDHA_BODY_TIMEOUT_SECONDS',
    'bodyTimeoutSeconds',
    10,
    [
      ['1', 1],
      ['3600', 3_600],
    ],
    ['0', '3601', '-1', '2.5', 'ten'],
  ],
  [
    'BANDHA_KEEP_ALIVE_SECONDS',
    'keepAliveSeconds',
    75,
    [
      ['1', 1],
      ['86400', DAY],
    ],
    ['0', '86401', '-1', '2.5', 'ten'],
  ],
  [
    'BANDHA_MAX_SUBSCRIPTIONS',
    'maxSubscriptions',
    10_000,
    [
      ['1', 1],
      ['10000000', 10_000_000],
    ],
    ['0', '10000001', '-1', '2.5', 'many'],
  ],
  [
    'BANDHA_MAX_SUBSCRIPTIONS_PER_SESSION',
    'maxSubscriptionsPerSession',
    100,
    [
      ['1', 1],
      ['1000', 1_000],
    ],
    ['0', '-1', '2.5', 'many'],
  ],
  [
    'BANDHA_POOL_SIZE',
    'poolSize',
    10,
    [
      ['1', 1],
      ['1000', 1_000],
    ],
    ['0', '1001', '-1', '2.5', 'ten'],
  ],
  [
    'BANDHA_STATEMENT_TIMEOUT_SECONDS',
    'statementTimeoutSeconds',
    5,
    [
      ['1', 1],
      ['3600', 3_600],
    ],
    ['0', '3601', '5s', '0.5'],
  ],
  [
    'BANDHA_CONNECT_TIMEOUT_SECONDS',
    'connectTimeoutSeconds',
    2,
    [
      ['1', 1],
      ['60', 60],
    ],
    ['0', '61', '2s'],
  ],
  [
    'BANDHA_SIGNUP',
    'signup',
    'open',
    [
      ['open', 'open'],
      ['closed', 'closed'],
    ],
    ['Closed', 'off', 'false'],
  ],
  [
    'BANDHA_GRAPHIQL',
    'graphiql',
    true,
    [
      ['on', true],
      ['off', false],
    ],
    ['true', '0', 'OFF'],
  ],
  [
    'BANDHA_ON_DENIED',
    'onDenied',
    'reject',
    [
      ['reject', 'reject'],
      ['null', 'null'],
    ],
    ['deny', 'NULL'],
  ],
  [
    'BANDHA_TRUSTED_PROXIES',
    'trustedProxies',
    [],
    [
      ['10.0.0.0/8', ['10.0.0.0/8']],
      ['10.0.0.0/8, 2001:db8::/32,192.0.2.1', ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']],
    ],
    ['loopback', '10.0.0.0/8,', '10.0.0.0/33', '0.0.0.0/0', '::/0', '10.0.0.0/8 192.0.2.1', '127.1', 'true'],
  ],
  [
    'BANDHA_LOG_LEVEL',
    'logLevel',
    'info',
    [
      ['silent', 'silent'],
      ['trace', 'trace'],
    ],
    ['verbose', 'INFO'],
  ],
];

describe.each(VARIABLES)('%s', (variable, key, byDefault, good, bad) => {
  it('has its default where it is unset or empty', () => {
    for (const env of [{}, { [variable]: '' }, { [variable]: undefined }]) {
      expect(loadConfig(env)[key]).toEqual(byDefault);
    }
  });

  it.each(good)('takes %s', (text, value) => {
    expect(loadConfig({ [variable]: text })).toEqual({ ...loadConfig({}), [key]: value });
  });

  for (const text of bad) {
    it(`refuses ${text}, by name`, () => {
      const fault = expect.stringMatching(new RegExp(`^${variable}: must `));
      expect(faultsIn({ [variable]: text })).toEqual([fault]);
    });
  }
});

describe('the administrator', () => {
  const ADMIN = {
    BANDHA_ADMIN_EMAIL: 'ada@example.com',
    BANDHA_ADMIN_PASSWORD: 'correct horse battery staple',
  };

  it('is nobody unless named', () => {
    expect(loadConfig({}).admin).toBeUndefined();
  });

  it('has an email and a password', () => {
    expect(loadConfig(ADMIN).admin).toEqual({
      email: ADMIN.BANDHA_ADMIN_EMAIL,
      password: ADMIN.BANDHA_ADMIN_PASSWORD,
    });
  });

  it.each<[string, Env, string]>([
    ['no password', { BANDHA_ADMIN_PASSWORD: '' }, 'BANDHA_ADMIN_PASSWORD'],
    ['no email', { BANDHA_ADMIN_EMAIL: undefined }, 'BANDHA_ADMIN_EMAIL'],
    ['no address', { BANDHA_ADMIN_EMAIL: 'ada' }, 'BANDHA_ADMIN_EMAIL'],
    ['a common password', { BANDHA_ADMIN_PASSWORD: 'password1' }, 'BANDHA_ADMIN_PASSWORD'],
    ['the email again', { BANDHA_ADMIN_PASSWORD: 'I am ada today' }, 'BANDHA_ADMIN_PASSWORD'],
  ])('is refused with %s', (_, changes, variable) => {
    expect(faultsIn({ ...ADMIN, ...changes })).toEqual([expect.stringMatching(new RegExp(`^${variable}: `))]);
  });
});

describe('the whole environment', () => {
  it('gives the defaults where it says nothing', () => {
    expect(loadConfig({})).toEqual(DEFAULT_CONFIG);
  });

  it('is left alone where it is not Bandha’s', () => {
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
    'is refused with the unknown variable %s',
    (name) => {
      expect(faultsIn({ [name]: 'something' })).toEqual([`${name}: is not a known variable`]);
      expect(loadConfig({ [name]: '' })).toEqual(DEFAULT_CONFIG);
    },
  );

  it('tells every fault at once', () => {
    const bad = VARIABLES.flatMap(([variable, , , , [text]]) => (text ? [[variable, text]] : []));
    const faults = faultsIn({
      ...Object.fromEntries(bad),
      BANDHA_SECRET: undefined,
      BANDHA_TYPO: 'x',
      BANDHA_ADMIN_EMAIL: 'ada@example.com',
      NODE_ENV: 'production',
    });
    const named = faults.map((fault) => fault.split(':')[0]);
    const expected = [...bad.map(([variable]) => variable), 'BANDHA_TYPO', 'BANDHA_ADMIN_PASSWORD'];
    expect(named.toSorted()).toEqual(expected.toSorted());
  });

  it('never shows a value', () => {
    const names = [...VARIABLES.map(([variable]) => variable), 'BANDHA_ADMIN_EMAIL', 'BANDHA_ADMIN_PASSWORD'];
    const said = new Set<string>();
    // No sentence of ours has a digit beside a letter, so no value stands in one by chance.
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
          for (const fault of error.issues) said.add(fault);
        }
      }),
    );
    expect(said.size).toBeGreaterThan(10);
  });
});

describe('NODE_ENV=production', () => {
  const NODE_ENV = 'production';

  it('demands a secret', () => {
    for (const env of [{ NODE_ENV }, { NODE_ENV, BANDHA_SECRET: '' }]) {
      expect(faultsIn(env)).toEqual(['BANDHA_SECRET: is required when NODE_ENV=production']);
    }
  });

  it('turns GraphiQL off unless it is asked for', () => {
    const production = { NODE_ENV, BANDHA_SECRET: SECRET };
    expect(loadConfig(production)).toMatchObject({ production: true, graphiql: false, secret: SECRET });
    expect(loadConfig({ ...production, BANDHA_GRAPHIQL: '' }).graphiql).toBe(false);
    expect(loadConfig({ ...production, BANDHA_GRAPHIQL: 'on' }).graphiql).toBe(true);
  });

  it('is the only one that does so', () => {
    for (const other of ['', 'development', 'test']) {
      expect(loadConfig({ NODE_ENV: other })).toMatchObject({ production: false, graphiql: true });
    }
  });
});

describe('a configuration given in code', () => {
  it('is completed by the defaults, an undefined value too', () => {
    expect(resolveConfig({ port: 1, host: undefined })).toEqual({ ...DEFAULT_CONFIG, port: 1 });
  });

  it.each<[string, unknown, string]>([
    ['no object', 7, 'must be an object of buckets'],
    ['a list', [], 'must be an object of buckets'],
    [
      'an unknown bucket',
      { 'login.all': { burst: 1, intervalSeconds: 1 } },
      'login.all is not a known bucket',
    ],
    ['a bucket of a later version', { 'mail.network': { burst: 1 } }, 'mail.network is not a known bucket'],
    ['a name that objects inherit', { constructor: {} }, 'constructor is not a known bucket'],
    ['a number for a bucket', { 'login.pair': 20 }, 'login.pair must be an object'],
    ['an unknown value', { 'login.pair': { limit: 20 } }, 'login.pair.limit is not known'],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, '20', null].map(
      (burst): [string, unknown, string] => [
        `the burst ${burst}`,
        { 'login.pair': { burst } },
        'login.pair.burst must be',
      ],
    ),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '60', null].map(
      (intervalSeconds): [string, unknown, string] => [
        `the interval ${intervalSeconds}`,
        { 'login.pair': { intervalSeconds } },
        'login.pair.intervalSeconds must be',
      ],
    ),
  ])('is refused where limits has %s', (_, limits, message) => {
    const wrong = { limits } as Partial<Config>; // as JavaScript would give it
    expect(faultsOf(() => resolveConfig(wrong))).toEqual([expect.stringContaining(`limits: ${message}`)]);
  });

  it('may have limits, of one value too', () => {
    const limits = { 'login.pair': { burst: 5, intervalSeconds: 0.5 }, 'login.network': { burst: 10 } };
    expect(resolveConfig({ limits }).limits).toEqual(limits);
  });

  it.each<[keyof Config, unknown]>([
    ['secret', 'short'],
    ['algorithm', 'HS256'],
    ['accessTtlSeconds', 0],
    ['sessionTtlSeconds', 1.5],
    ['sessionIdleSeconds', Number.NaN],
    ['refreshGraceSeconds', -1],
    ['maxStaleSeconds', Number.NaN],
    ['keyMaxAgeSeconds', 60],
    ['poolSize', 0],
    ['statementTimeoutSeconds', Number.POSITIVE_INFINITY],
    ['connectTimeoutSeconds', 61],
    ['bodyTimeoutSeconds', 0.5],
    ['keepAliveSeconds', 0],
    ['databaseUrl', 'postgres://'],
    ['port', 70_000],
    ['signup', 'off'],
    ['onDenied', 'nul'],
    ['trustedProxies', '10.0.0.0/8'],
    ['trustedProxies', ['10.0.0.0/8', 'proxy', 7]],
  ])('is refused where %s is out of its range', (key, value) => {
    const wrong = { [key]: value } as Partial<Config>; // as JavaScript would give it
    expect(faultsOf(() => resolveConfig(wrong))).toEqual([
      expect.stringMatching(new RegExp(`^${key}: must `)),
    ]);
  });
});
