// Checks that invalid arguments of `createListener` cause one error at start that names all of them.
import { createYoga } from 'graphql-yoga';
import { afterAll, describe, expect, it } from 'vitest';
import { createBandha, createListener } from '../../../src/bandha.ts';
import { ConfigError } from '../../../src/errors.ts';
import type { ListenerOptions } from '../../../src/http/fast-path/listener.ts';
import { silentLog } from '../../../src/utils/log.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const bandha = await createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET, log: silentLog });
afterAll(() => bandha.close());
const yoga = createYoga({ schema: bandha.schema, plugins: bandha.plugins, logging: false });

describe('createListener', () => {
  it.each<[string, Record<string, unknown>]>([
    ['cros: is not a known option', { cros: {} }],
    ['toString: is not a known option', { toString: {} }],
    ['compile: must be true or false', { compile: 'no' }],
    ['maxBodyBytes: must be a number above 0', { maxBodyBytes: '1MB' }],
    ['maxBodyBytes: must be a number above 0', { maxBodyBytes: 0 }],
    ['bodyTimeoutSeconds: must be a number above 0', { bodyTimeoutSeconds: Number.POSITIVE_INFINITY }],
    ['maxPendingBodyBytes: must be a number above 0', { maxPendingBodyBytes: Number.NaN }],
    ['cors: must be what createYoga got as cors', { cors: 'https://app.example.com' }],
    ['cors: must be what createYoga got as cors', { cors: false }],
  ])('rejects an invalid option: %s, %j', (message, options) => {
    const create = () => createListener(yoga, bandha, options as ListenerOptions); // JavaScript can pass anything
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(`createListener: ${message}`);
  });

  it('rejects a copy of what createBandha returned', () => {
    expect(Object.keys(bandha)).not.toContain('serverParts');
    const create = () => createListener(yoga, { ...bandha });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(
      'createListener: bandha: must be the object that createBandha returned, after await, and not a copy',
    );
  });

  it('rejects invalid arguments, and a promise of the server', () => {
    const issues = [
      'createListener: yoga: must be what createYoga returns',
      'createListener: bandha: must be the object that createBandha returned, after await, and not a copy',
    ];
    const create = createListener as (...args: unknown[]) => unknown; // JavaScript can pass anything
    expect(() => create()).toThrow(new ConfigError(issues));
    expect(() => create(yoga, Promise.resolve(bandha))).toThrow(new ConfigError(issues.slice(1)));
    expect(() => create({}, bandha)).toThrow(new ConfigError(issues.slice(0, 1)));
  });

  it('accepts every option, and undefined', () => {
    const cors = { origin: ['https://app.example.com'] };
    const options = {
      cors,
      maxBodyBytes: 1_000,
      bodyTimeoutSeconds: 5,
      maxPendingBodyBytes: 9e6,
      compile: false,
    };
    expect(createListener(yoga, bandha, options)).toBeTypeOf('function');
    expect(createListener(yoga, bandha, { cors: undefined, compile: undefined })).toBeTypeOf('function');
  });
});
