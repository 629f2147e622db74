// The configuration from options: defaults, ranges and issues.
import { describe, expect, it } from 'vitest';
import { type Config, DEFAULT_CONFIG, resolveConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/errors.ts';

/** @returns the issues of invalid options */
function issuesOf(options: Partial<Config>): readonly string[] {
  try {
    resolveConfig(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error('The options are valid');
}

describe('resolveConfig', () => {
  it('fills in the defaults, even for an undefined value', () => {
    expect(resolveConfig({ port: 1, host: undefined })).toEqual({ ...DEFAULT_CONFIG, port: 1 });
  });

  it.each<[string, unknown, string]>([
    ['a number', 7, 'must be an object of buckets'],
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
  ])('rejects limits with %s', (_, limits, message) => {
    const wrong = { limits } as Partial<Config>; // possible in JavaScript
    expect(issuesOf(wrong)).toEqual([expect.stringContaining(`limits: ${message}`)]);
  });

  it('accepts limits with one or both values', () => {
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
  ])('rejects %s if it is out of range: %j', (key, value) => {
    const wrong = { [key]: value } as Partial<Config>; // possible in JavaScript
    expect(issuesOf(wrong)).toEqual([expect.stringMatching(new RegExp(`^${key}: must `))]);
  });
});
