// Checks the internals of Yoga on which src/http/yoga-internals.ts relies. If an update of graphql-yoga changes one, a test here names it.
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import {
  acceptInvalidUrls,
  appendPlugin,
  detectUnsupportedHooks,
  findYogaDocumentCache,
  getCorsHeaders,
  getErrorMaskOptions,
  NO_QUERY_MESSAGE,
  prependPlugin,
  replacePlugin,
  toYogaResponse,
  withUrl,
} from '../../../src/http/yoga-internals.ts';

const QUERY_URL = 'http://localhost/graphql?query={hello}';
const schema = createSchema({
  typeDefs: 'type Query { hello: String }',
  resolvers: { Query: { hello: () => 'world' } },
});

const createServer = (options: Parameters<typeof createYoga>[0] = {}) =>
  createYoga({ schema, logging: false, ...options });

/** A plugin that runs `init` once: `onPluginInit` runs again if another plugin is added in front. */
function onFirstInit(init: (plugins: readonly unknown[]) => void): Plugin {
  let isDone = false;
  return {
    onPluginInit({ plugins }) {
      if (!isDone) init(plugins);
      isDone = true;
    },
  };
}

describe('the plugins of a Yoga server', () => {
  it('`yoga.plugins` lists the hooks of plugins and options', () => {
    const plugin: Plugin = { onExecute() {} };
    expect(detectUnsupportedHooks(createServer({ plugins: [plugin] }), [plugin])).toEqual([]);
    expect(detectUnsupportedHooks(createServer({ plugins: [plugin] }), [])).toEqual(['onExecute']);
    expect(detectUnsupportedHooks(createServer(), [plugin])).toEqual(['onExecute']);
    expect(detectUnsupportedHooks(createServer({ context: () => ({}) }), [])).not.toEqual([]);
  });

  it('`onPluginInit` receives the list that envelop reads afterwards', async () => {
    const calls: string[] = [];
    const createNamed = (name: string): Plugin => ({ onRequest: () => void calls.push(name) });
    const first = createNamed('first');
    const init = onFirstInit((plugins) => {
      appendPlugin(plugins, createNamed('last'));
      prependPlugin(plugins, first);
      prependPlugin(plugins, first);
    });
    await createServer({ plugins: [createNamed('own'), init] }).fetch(QUERY_URL);
    expect(calls).toEqual(['first', 'own', 'last']);
  });

  it('exactly one plugin of Yoga is its document cache, and it can be replaced', async () => {
    const isDocumentCache = findYogaDocumentCache();
    if (isDocumentCache === undefined) throw new Error('Yoga has no document cache');
    let replacements = 0;
    let requests = 0;
    const init = onFirstInit((plugins) => {
      replacePlugin(plugins, isDocumentCache, () => {
        replacements += 1;
        return {
          onRequest() {
            requests += 1;
          },
        };
      });
    });
    await createServer({ plugins: [init] }).fetch(QUERY_URL);
    expect([replacements, requests]).toEqual([1, 1]);
    await createServer({ plugins: [init], parserAndValidationCache: false }).fetch(QUERY_URL);
    expect([replacements, requests]).toEqual([1, 1]);
  });
});

describe('the errors of a Yoga server', () => {
  it('`yoga.maskedErrorsOpts` has the function that masks errors, and its message', () => {
    const maskError = (_: unknown, message: string) => new Error(`masked: ${message}`);
    const custom = getErrorMaskOptions(createServer({ maskedErrors: { maskError, errorMessage: 'Oops' } }));
    expect(custom?.errorMessage).toBe('Oops');
    expect(custom?.maskError(new Error('secret'), 'Oops').message).toBe('masked: Oops');
    expect(getErrorMaskOptions(createServer())?.errorMessage).toBe('Unexpected error.');
    expect(getErrorMaskOptions(createServer({ maskedErrors: false }))).toBeUndefined();
  });

  it('the message for a request without a query is `NO_QUERY_MESSAGE`', async () => {
    const response = await createServer().fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect((await response.json()).errors[0].message).toBe(NO_QUERY_MESSAGE);
  });
});

describe('the requests and responses of Yoga', () => {
  it('`processRegularResult` passes its result to `fetchAPI.Response` alone', () => {
    const { status, headers, body } = toYogaResponse({ data: { hello: 'world' } }, 'application/json');
    expect([status, body]).toEqual([200, '{"data":{"hello":"world"}}']);
    expect(headers).toMatchObject({ 'Content-Type': 'application/json; charset=utf-8' });
  });

  it('`getCORSHeadersByRequestAndOptions` reads the headers of a request alone', () => {
    const cors = { origin: ['https://app.example.com'], credentials: true };
    expect(getCorsHeaders({ origin: 'https://app.example.com' }, cors)).toMatchObject({
      'Access-Control-Allow-Origin': 'https://app.example.com',
      'Access-Control-Allow-Credentials': 'true',
    });
  });

  it('Yoga reads the URL of a request from `parsedUrl` or `url`', async () => {
    const urls: string[] = [];
    const move: Plugin = {
      onRequest({ request, setRequest }) {
        setRequest(withUrl(request, new URL(QUERY_URL)));
      },
      onRequestParse({ request, url }) {
        urls.push(request.url, url.href);
      },
    };
    const response = await createServer({ plugins: [move] }).fetch(
      'http://localhost/graphql?query={__typename}',
    );
    expect(await response.json()).toEqual({ data: { hello: 'world' } });
    expect(urls).toEqual([QUERY_URL, QUERY_URL]);
  });

  it('Yoga creates requests with the `fetchAPI.Request` that `onYogaInit` has set', async () => {
    let created = 0;
    const init: Plugin = {
      onYogaInit({ yoga: { fetchAPI } }) {
        const Base = fetchAPI.Request;
        fetchAPI.Request = class extends Base {
          constructor(input: RequestInfo | URL, options?: RequestInit) {
            super(input, options);
            created += 1;
          }
        };
        acceptInvalidUrls(fetchAPI);
      },
    };
    const yoga = createServer({ plugins: [init] });
    await yoga.fetch(QUERY_URL);
    expect(created).toBe(1);
    expect(new yoga.fetchAPI.Request('http://[').url).toBe('http://localhost/invalid');
    expect(new yoga.fetchAPI.Request(QUERY_URL).url).toBe(QUERY_URL);
  });
});
