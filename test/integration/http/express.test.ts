// Checks the listener in Express: mounted at a path, and behind parsers that have read the body.
import type { RequestListener } from 'node:http';
import express from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bandha } from '../../../src/bandha.ts';
import type { Log } from '../../../src/utils/log.ts';
import { createTestBandha, LISTENERS, listen } from '../../support/own-yoga.ts';

const QUERY = '{ where }';
const logged: { level: string; fields: object; message: string }[] = [];
const entry = (level: string) => (fields: object, message: string) =>
  void logged.push({ level, fields, message });
const log: Log = { debug() {}, info: entry('info'), warn: entry('warn'), error: entry('error') };

let bandha: Bandha;
beforeAll(async () => {
  bandha = await createTestBandha({
    log,
    typeDefs: 'extend type Query { where: String }',
    resolvers: {
      Query: {
        // The fast path creates the WHATWG request when a resolver reads it.
        where: (_: unknown, __: unknown, context: { request: Request }) =>
          Object.getOwnPropertyDescriptor(context, 'request')?.get === undefined
            ? `Yoga ${new URL(context.request.url).pathname}`
            : `fast path ${new URL(context.request.url).pathname}`,
      },
    },
  });
});
afterAll(() => bandha.close());
beforeEach(() => {
  logged.length = 0;
});

type Use = (app: express.Express, listener: RequestListener) => void;
async function serve(use: Use, way: keyof typeof LISTENERS = 'bandha.listener') {
  const app = express();
  const listener = LISTENERS[way]?.(bandha) ?? bandha.listener;
  use(app, listener);
  const { url, close } = await listen(app);
  return {
    close,
    async get(path: string) {
      const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) });
      return { status: response.status, text: await response.text() };
    },
    async post(path: string, body: string = JSON.stringify({ query: QUERY }), type = 'application/json') {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
        signal: AbortSignal.timeout(10_000),
      });
      return { status: response.status, text: await response.text() };
    },
  };
}

describe('a listener mounted in Express', () => {
  it.each<[string, Use, string]>([
    ['for all paths', (app, listener) => app.use(listener), '/graphql'],
    ['at /graphql', (app, listener) => app.use('/graphql', listener), '/graphql'],
    ['at a parent path', (app, listener) => app.use('/api', listener), '/api/graphql'],
    ['as a route', (app, listener) => app.all('/graphql', listener), '/graphql'],
  ])('a listener mounted %s uses the fast path', async (_, use, path) => {
    const { post, close } = await serve(use);
    expect(await post(path)).toEqual({
      status: 200,
      text: JSON.stringify({ data: { where: `fast path ${path}` } }),
    });
    expect((await post(`${path}/x`)).status).toBe(404);
    expect(logged).toEqual([]);
    close();
  });

  it('a listener mounted at several paths serves these and no others', async () => {
    const paths = ['/graphql', '/.well-known/jwks.json', '/health', '/metrics'];
    const { get, post, close } = await serve((app, listener) => {
      app.use(paths, listener);
      app.get('/hello', (_req, res) => void res.send('hello'));
    });
    expect((await post('/graphql')).text).toContain('fast path /graphql');
    expect((await get('/.well-known/jwks.json')).text).toContain('"keys"');
    expect((await get('/health/ready')).text).toContain('"status":"ok"');
    expect((await get('/metrics')).text).toContain('bandha_');
    expect(await get('/hello')).toEqual({ status: 200, text: 'hello' });
    close();
  });

  it.each(Object.keys(LISTENERS))(
    'a listener mounted at a parent path serves the endpoint: %s',
    async (way) => {
      const { post, close } = await serve((app, listener) => app.use('/api', listener), way);
      expect((await post('/api/graphql')).text).toContain(' /api/graphql');
      expect((await post('/api/x/graphql')).status).toBe(404);
      close();
    },
  );
});

describe('a listener behind a body parser', () => {
  it.each<[string, Use]>([
    ['express.json()', (app, listener) => app.use(express.json(), listener)],
    ['express.text()', (app, listener) => app.use(express.text({ type: '*/*' }), listener)],
    ['express.raw()', (app, listener) => app.use(express.raw({ type: '*/*' }), listener)],
  ])('a listener behind %s uses Yoga and warns once', async (_, use) => {
    const { post, close } = await serve(use);
    for (let i = 0; i < 2; i += 1) expect((await post('/graphql')).text).toContain('Yoga /graphql');
    expect((await post('/graphql', '{}')).status).toBe(400);
    close();
    const warnings = logged.filter(({ level }) => level === 'warn');
    expect(warnings.length).toBeLessThanOrEqual(1); // these tests share the listener, and the first of them warns
  });

  it('the warning of a listener behind a parser names the reason', async () => {
    const { post, close } = await serve(
      (app, listener) => app.use(express.json(), listener),
      'createListener',
    );
    for (let i = 0; i < 2; i += 1) await post('/graphql');
    expect(logged).toEqual([
      {
        level: 'warn',
        fields: { reason: 'a middleware, such as express.json(), reads the body first' },
        message: 'fast path not used; mount the listener before the middleware',
      },
    ]);
    close();
  });

  it.each(Object.keys(LISTENERS))('a body consumed by a middleware gets 400: %s', async (way) => {
    const { post, close } = await serve((app, listener) => {
      app.use((req, _res, next) => {
        req.on('data', () => {}).on('end', () => next());
      }, listener);
    }, way);
    expect(await post('/graphql')).toMatchObject({ status: 400 });
    expect(await post('/graphql', 'x', 'application/graphql')).toMatchObject({ status: 400 });
    close();
  });

  it.each(Object.keys(LISTENERS))(
    'a form that a middleware has parsed is rejected as a form: %s',
    async (way) => {
      const { post, close } = await serve((app, listener) => app.use(express.urlencoded(), listener), way);
      const form = `${new URLSearchParams({ query: 'mutation { logout }' })}`;
      expect(await post('/graphql', form, 'application/x-www-form-urlencoded')).toMatchObject({
        status: 400,
      });
      close();
    },
  );
});
