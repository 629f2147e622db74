// Checks the responses to a browser that opens GraphiQL: the page, its files, and the requirements of fields.
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createSchema, createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import { useGraphiql } from '../../../src/http/plugins/use-graphiql.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let server: TestServer;
let closed: TestServer;
const APP = {
  typeDefs: `
    extend type Query {
      salary: String @auth
      payroll: String @auth(roles: ["admin"])
      invoice: String @auth(policies: [["owner"]])
    }
  `,
  policies: { owner: () => true },
};
beforeAll(async () => {
  server = await startTestServer(APP);
  closed = await startTestServer({ ...APP, graphiql: false });
});
afterAll(async () => {
  await server?.close();
  await closed?.close();
});

const get = (path: string, init?: RequestInit) =>
  fetch(`${server.url}${path}`, { redirect: 'manual', ...init });

/** The URLs in the page, resolved against its own. */
async function filesOfPage(): Promise<string[]> {
  const html = await (await get('/graphql', { headers: HTML })).text();
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, path = '']) => new URL(path, 'http://x/graphql').pathname,
  );
}

/** Requests a path without normalizing it, as `fetch` would. */
function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the page', () => {
  it('a browser gets the page uncached, with a policy for scripts of its origin alone', async () => {
    const response = await get('/graphql', { headers: HTML });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    const policy = response.headers.get('content-security-policy') ?? '';
    const directives = Object.fromEntries(policy.split('; ').map((one) => one.split(/ (.*)/)));
    expect(directives).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'worker-src': "'self'",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
    expect(policy).not.toContain('unsafe-eval');
    const html = await response.text();
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/<script(?![^>]* src=)/); // no inline scripts
  });

  it('the page contains whether callers may create accounts', async () => {
    const stateOf = async ({ url }: TestServer) => {
      const html = await (await fetch(`${url}/graphql`, { headers: HTML })).text();
      return /<meta name="bandha-sign-up" content="(\w+)"/.exec(html)?.[1];
    };
    expect(await stateOf(server)).toBe('open');
    const invited = await startTestServer({ signup: 'closed' });
    expect(await stateOf(invited)).toBe('closed');
    await invited.close();
  });

  it('the page contains a starter query that fits the schema', async () => {
    const getStarterQuery = async ({ url }: TestServer) => {
      const html = await (await fetch(`${url}/graphql`, { headers: HTML })).text();
      return /<meta name="bandha-starter-query" content="(\w+)"/.exec(html)?.[1];
    };
    expect(await getStarterQuery(server)).toBe('viewer');
    const ownSchemaOnly = await startTestServer();
    expect(await getStarterQuery(ownSchemaOnly)).toBe('secureData');
    await ownSchemaOnly.close();
    const sameName = await startTestServer({ typeDefs: 'extend type Query { secureData: String }' });
    expect(await getStarterQuery(sameName)).toBe('viewer');
    await sameName.close();
  });

  it('HEAD gets the headers of GET without the page', async () => {
    const response = await get('/graphql', { method: 'HEAD', headers: HTML });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toBe('');
  });

  it('the page is served at the URL that its links are relative to', async () => {
    const response = await get('/graphql/?query={viewer{id}}', { headers: HTML });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toMatch(/^\.\.\/graphql\?query=/);
  });

  it('API clients can send queries by GET to the URL of the page', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*']) {
      const response = await get('/graphql?query={viewer{email}}', { headers: { accept } });
      expect(await response.json()).toEqual({ data: { viewer: null } });
      expect(response.headers.get('content-security-policy')).toBeNull();
    }
  });

  it('the response without a built page contains the command to build it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
    const schema = createSchema({ typeDefs: 'type Query { a: Int }' });
    const authenticate = () => ({ principal: null, problem: undefined });
    const plugin = useGraphiql({ authenticate, enforcedSchema: enforceSchema(schema), folder });
    const yoga = createYoga({ schema, plugins: [plugin], graphiql: false, logging: false });
    const response = await yoga.fetch('http://test/graphql', { headers: HTML });
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('npm run build:graphiql');
    await rm(folder, { recursive: true });
  });
});

describe('the files of the page', () => {
  it('the files are cached permanently and have their media types', async () => {
    const types = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
    const files = await filesOfPage();
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      const response = await get(file);
      expect(response.status, file).toBe(200);
      const extension = file.split('.').at(-1) as keyof typeof types; // otherwise the next line fails
      expect(response.headers.get('content-type')).toContain(types[extension]);
      expect(response.headers.get('cache-control')).toContain('immutable');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const head = await get(file, { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
    }
  });

  it('fonts are separate files instead of parts of a stylesheet', async () => {
    const sheet = (await filesOfPage()).find((path) => path.endsWith('.css')) ?? '';
    const css = await (await get(sheet)).text();
    expect(css).not.toContain('data:font');
    const [, font] = /url\(\.?\/?([\w-]+\.woff2)\)/.exec(css) ?? [];
    const response = await get(`/graphiql/${font}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('font/woff2');
    expect(response.headers.get('cache-control')).toContain('immutable');
  });

  it('the files are compressed for browsers that accept gzip', async () => {
    const file = (await filesOfPage()).find((path) => path.endsWith('.js')) ?? '';
    const plain = await get(file, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const packed = await new Promise<Buffer>((resolve, reject) => {
      request(`${server.url}${file}`, { headers: { 'accept-encoding': 'gzip' } }, async (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        expect(response.headers.vary).toContain('accept-encoding');
        resolve(Buffer.concat(await response.toArray()));
      })
        .on('error', reject)
        .end();
    });
    expect(gunzipSync(packed).equals(Buffer.from(await plain.arrayBuffer()))).toBe(true);
  });

  it.each([
    '/graphiql/none.js',
    '/graphiql/',
    '/graphiql/index.html',
    '/graphiql/built-from.txt',
    '/graphiql/../index.html',
    '/graphiql/%2e%2e/built-from.txt',
    '/graphiql/..%2fbuilt-from.txt',
    '/graphiql/..%5c..%5c..%5cpackage.json',
    '/graphiql/../../../package.json',
    '/graphiql/..%2f..%2f..%2fsrc%2fgraphiql%2fstyle.css',
    '/graphiql//etc/passwd',
    '/graphiql/x%00.js',
  ])('no other file is served: %s', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });

  it('only GET and HEAD are allowed for the files', async () => {
    const response = await get('/graphiql/requirements.json', { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('the requirements of fields', () => {
  const getRequirements = async (token?: string) => {
    const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
    const response = await get('/graphiql/requirements.json', { headers });
    expect(response.headers.get('cache-control')).toBe('no-store');
    return response.json();
  };

  it('every caller gets all requirements in development', async () => {
    const everything = await getRequirements();
    expect(everything).toMatchObject({
      'Query.salary': [{}],
      'Query.payroll': [{ roles: ['admin'] }],
      'Query.invoice': [{ policies: [['owner']] }],
    });
  });

  it('a caller in production gets the requirements of permitted fields', async () => {
    const production = await startTestServer({ ...APP, production: true, graphiql: true });
    onTestFinished(() => production.close());
    const { url } = production;
    const getRequirements = async (token?: string) => {
      const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
      return (await fetch(`${url}/graphiql/requirements.json`, { headers })).json();
    };
    expect(await getRequirements()).toEqual({});
    const { accessToken } = await register(url);
    const signedIn = await getRequirements(accessToken);
    expect(signedIn['Query.salary']).toEqual([{}]);
    expect(signedIn['Query.invoice']).toEqual([{ policies: [['owner']] }]);
    expect(signedIn['Mutation.logoutEverywhere']).toEqual([{}]);
    expect(Object.keys(signedIn)).not.toContain('Query.payroll');
    expect(await getRequirements('not a token')).toEqual({});
  });
});

describe('a server without GraphiQL', () => {
  it('serves neither the page nor its files nor the requirements of fields', async () => {
    const paths = ['/graphql', '/graphiql/requirements.json', ...(await filesOfPage())];
    for (const path of paths) {
      const response = await fetch(`${closed.url}${path}`, { headers: HTML });
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toMatch(/<html|graphiql/i);
    }
  });
});
