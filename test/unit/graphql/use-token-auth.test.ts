// `useTokenAuth` in an application's Yoga server, with tokens of another issuer.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createVerifier,
  directiveTypeDefs,
  type TokenAuthOptions,
  useTokenAuth,
  type VerifierOptions,
} from '../../../src/index.ts';
import { silentLog } from '../../../src/utils/log.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

let issuer: TestServer;
let token: string;
beforeAll(async () => {
  issuer = await startTestServer();
  token = (await register(issuer.url)).accessToken;
});
afterAll(() => issuer.close());

/** Creates a Yoga server with a protected field; `runs` counts the calls of its resolver. */
function createApp(keys: VerifierOptions['keys'], onDenied?: 'reject' | 'null') {
  const app = { runs: 0, ask };
  const schema = createSchema({
    typeDefs: [directiveTypeDefs, 'type Query { open: Int  closed: Int @auth }'],
    resolvers: {
      Query: {
        open: () => 1,
        closed() {
          app.runs += 1;
          return 2;
        },
      },
    },
  });
  const verifier = createVerifier({
    issuer: 'http://localhost:4000',
    audience: 'bandha',
    keys,
    log: silentLog,
  });
  const yoga = createYoga({ schema, plugins: [useTokenAuth({ verifier, onDenied })], logging: false });

  async function ask(query: string, bearer?: string) {
    const response = await yoga.fetch('http://app/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
  return app;
}

describe('an application with tokens of another server', () => {
  const jwks = () => new URL(`${issuer.url}/.well-known/jwks.json`);

  it('allows a signed-in caller', async () => {
    expect(await createApp(jwks()).ask('{ open closed }', token)).toMatchObject({
      status: 200,
      body: { data: { open: 1, closed: 2 } },
    });
  });

  it.each([
    ['no token', undefined, 'MISSING_TOKEN'],
    ['garbage', 'garbage', 'TOKEN_MALFORMED'],
    ['a forged token', () => `${token.slice(0, -10)}AAAAAAAAAA`, 'TOKEN_INVALID'],
  ])('rejects %s without running a resolver', async (_, given, reason) => {
    const app = createApp(jwks());
    const bearer = typeof given === 'function' ? given() : given;
    const { status, headers, body } = await app.ask('{ closed }', bearer);
    expect(status).toBe(401);
    expect(body.errors[0].extensions).toEqual({
      code: 'UNAUTHENTICATED',
      reason,
      coordinate: 'Query.closed',
    });
    expect(headers.get('www-authenticate')).toContain('Bearer realm="bandha"');
    expect(app.runs).toBe(0);
    expect((await app.ask('{ open }', bearer)).body).toEqual({ data: { open: 1 } });
  });
});

describe('an application whose verification keys are unavailable', () => {
  let closed: URL;
  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    server.close();
    await once(server, 'close');
    closed = new URL(`http://127.0.0.1:${port}/jwks.json`);
  });
  const extensions = { code: 'SERVICE_UNAVAILABLE', reason: 'KEYS_UNAVAILABLE', coordinate: 'Query.closed' };

  it('responds to a protected field with 503 and Retry-After', async () => {
    const app = createApp(closed);
    const { status, headers, body } = await app.ask('{ closed }', token);
    expect(status).toBe(503);
    expect(body.errors).toHaveLength(1);
    expect(body.errors[0].extensions).toEqual(extensions);
    expect(body).not.toHaveProperty('data');
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(headers.get('www-authenticate')).toBeNull();
    expect(JSON.stringify(body)).not.toContain(closed.port);
    expect(app.runs).toBe(0);
  });

  it('responds to a public field as usual', async () => {
    const { status, body } = await createApp(closed).ask('{ open }', token);
    expect({ status, body }).toEqual({ status: 200, body: { data: { open: 1 } } });
  });

  it('rejects a missing and a malformed token with their own reasons', async () => {
    const app = createApp(closed);
    expect((await app.ask('{ closed }')).body.errors[0].extensions.reason).toBe('MISSING_TOKEN');
    expect((await app.ask('{ closed }', 'garbage')).body.errors[0].extensions.reason).toBe('TOKEN_MALFORMED');
  });

  it('returns the other fields with onDenied null', async () => {
    const app = createApp(closed, 'null');
    const { status, body } = await app.ask('{ open closed }', token);
    expect(status).toBe(200);
    expect(body.data).toEqual({ open: 1, closed: null });
    expect(body.errors[0].extensions).toEqual(extensions);
    expect(app.runs).toBe(0);
  });
});

it.each([{}, { verifier: null }, { verifier: 'https://issuer.example/' }])(
  'a missing verifier is an error at start: %o',
  (options) => {
    expect(() => useTokenAuth(options as unknown as TokenAuthOptions)).toThrow('verifier: is required'); // wrong on purpose
  },
);

it('an unknown option is an error at start', () => {
  const verifier = createVerifier({
    issuer: 'i',
    audience: 'a',
    keys: () => Promise.reject(new Error('no key')),
  });
  const schema = createSchema({ typeDefs: 'type Query { open: Int }' });
  const options = { verifier, default: 'deny' } as TokenAuthOptions; // wrong on purpose
  expect(() => createYoga({ schema, plugins: [useTokenAuth(options)] })).toThrow(
    'default: is not a known option',
  );
});
