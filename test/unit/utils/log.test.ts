// Errors and warnings go to the console, or to the logger of the application.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { createYoga } from 'graphql-yoga';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { type Bandha, type BandhaOptions, createBandha, createListener } from '../../../src/bandha.ts';
import { ConfigError } from '../../../src/errors.ts';
import { consoleLog, type Log } from '../../../src/utils/log.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const OPTIONS: BandhaOptions = {
  databaseUrl: 'sqlite::memory:',
  secret: TEST_SECRET,
  typeDefs: 'extend type Query { invoice: String }',
  resolvers: {
    Query: {
      invoice: function loadInvoice() {
        throw new Error('the invoice service is down');
      },
    },
  },
};

let errors: Mock;
let warnings: Mock;
beforeEach(() => {
  errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.restoreAllMocks();
});

async function open(options: BandhaOptions = {}): Promise<Bandha> {
  const bandha = await createBandha({ ...OPTIONS, ...options });
  closing.push(() => bandha.close());
  return bandha;
}

async function send(listener: RequestListener, path: string, init?: RequestInit): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, keepalive: false });
  return response.text();
}

const POST = {
  method: 'POST',
  headers: { 'content-type': 'application/json', connection: 'close' },
  body: '{"query":"{ invoice }"}',
};
const GET = { headers: { accept: 'application/json', connection: 'close' } };
const written = (mock: Mock) =>
  mock.mock.calls.map((call) => call.map((one) => (typeof one === 'string' ? one : inspect(one))).join(' '));

describe('without a logger', () => {
  it.each<[string, string, RequestInit]>([
    ['the fast path', '/graphql', POST],
    ['the Yoga handler', '/graphql?query=%7Binvoice%7D', GET],
  ])('a resolver error on %s is on the console once, with its stack', async (_, path, init) => {
    const bandha = await open();
    expect(await send(bandha.listener, path, init)).toContain('Unexpected error.');
    expect(written(errors)).toHaveLength(1);
    expect(written(errors)[0]).toMatch(/the invoice service is down[\s\S]+at (Object\.)?loadInvoice/);
  });

  it.each<[string, string, RequestInit]>([
    ['the fast path', '/graphql', POST],
    ['the Yoga handler', '/graphql?query=%7Binvoice%7D', GET],
  ])('%s of an application’s Yoga server writes a resolver error once', async (_, path, init) => {
    const bandha = await open();
    const yoga = createYoga({ schema: bandha.schema, plugins: bandha.plugins, graphiql: false });
    expect(await send(createListener(yoga, bandha), path, init)).toContain('Unexpected error.');
    expect(written(errors)).toHaveLength(1);
    expect(written(errors)[0]).toMatch(/the invoice service is down[\s\S]+at (Object\.)?loadInvoice/);
  });

  it('warnings about the schema are on the console', async () => {
    await open({
      typeDefs: `extend type Query { node: Node }
        interface Node { id: ID }
        type Open implements Node { id: ID }
        type Secret implements Node { id: ID @auth }`,
      resolvers: {},
    });
    expect(written(warnings).join('\n')).toContain('Node.id');
  });

  it('a server that has nothing to report writes nothing', async () => {
    const bandha = await open();
    await send(bandha.listener, '/graphql', { ...POST, body: '{"query":"{ sessions { id } }"}' });
    expect([...written(errors), ...written(warnings)]).toEqual([]);
  });
});

describe('the option log', () => {
  it('accepts a pino logger', async () => {
    const lines: string[] = [];
    const log: Log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const bandha = await open({ log });
    await send(bandha.listener, '/graphql', POST);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the invoice service is down');
    expect(written(errors)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['a part of a logger', { warn() {} }, 'debug, info, error'],
    ['a method that is not a function', { ...consoleLog, info: true }, 'info'],
    ['false', false, 'debug, info, warn, error'],
    ['null', null, 'debug, info, warn, error'],
    ['a function', () => {}, 'debug, info, warn, error'],
  ])('rejects %s and names what is missing', async (_, log, missing) => {
    const error = await createBandha({ ...OPTIONS, log: log as Log }).catch((thrown) => thrown); // wrong on purpose
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(new RegExp(`^log: must have the methods .*; missing: ${missing}$`));
  });
});

describe('the option log of useGuard', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['an object without warn', { info() {} }],
  ])('rejects %s', (_, log) => {
    expect(() => useGuard({ log: log as Log })).toThrow('log: must have the methods warn'); // wrong on purpose
  });

  it('accepts a logger with only the method warn', () => {
    expect(() => useGuard({ log: { warn() {} } })).not.toThrow();
  });
});

describe('an entry on the console', () => {
  it('consists of the message, the fields as JSON, and the error with its causes', () => {
    const cause = new Error('connection refused');
    consoleLog.error({ url: 'https://x.example', err: new Error('no keys', { cause }) }, 'fetch failed');
    const [text = ''] = written(errors);
    expect(text).toMatch(/^bandha: fetch failed \{"url":"https:\/\/x\.example"\}\n {4}Error: no keys\n/);
    expect(text).toContain('caused by Error: connection refused');
  });

  it('contains text from a caller only in escaped form', () => {
    consoleLog.warn({ kid: 'a\nbandha: forged\u001b[2J\u2028' }, 'no key');
    consoleLog.error({ err: new Error('a\r\nbandha: forged\u001b[2J') }, 'unexpected error');
    for (const text of [...written(warnings), ...written(errors)]) {
      expect(text).not.toMatch(/^bandha: forged/m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    }
  });

  it('stays short, and tolerates fields that are not JSON', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    consoleLog.warn({ loop }, 'a loop');
    consoleLog.error({ err: new Error('x'.repeat(100_000)) }, 'unexpected error');
    expect(written(warnings)[0]).toContain('a loop');
    expect(written(errors)[0]?.length).toBeLessThan(20_000);
  });

  it('appears for errors and warnings only', () => {
    const others = [vi.spyOn(console, 'log'), vi.spyOn(console, 'info'), vi.spyOn(console, 'debug')];
    consoleLog.info({}, 'listening');
    consoleLog.debug({}, 'detail');
    for (const mock of [...others, errors, warnings]) expect(mock).not.toHaveBeenCalled();
  });
});
