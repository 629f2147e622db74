// Contains every access to internals of Yoga and its packages: properties and behavior that their types do not promise.
// test/unit/http/yoga-internals.test.ts checks each of them, so that an update which breaks one fails there first.
import type { IncomingHttpHeaders } from 'node:http';
import { type CORSOptions, getCORSHeadersByRequestAndOptions } from '@whatwg-node/server';
import type { ExecutionResult } from 'graphql';
import {
  createYoga,
  type FetchAPI,
  type Plugin,
  processRegularResult,
  type YogaServerInstance,
} from 'graphql-yoga';

/** A Yoga server with any context. */
// biome-ignore lint/suspicious/noExplicitAny: the context is the application's
export type AnyYoga = YogaServerInstance<any, any>;

/** Yoga's option `maskedErrors` with its defaults applied. */
export interface ErrorMaskOptions {
  maskError(error: unknown, message: string, isDev?: boolean): Error;
  errorMessage: string;
  isDev?: boolean;
}

/** The CORS options of a Yoga server, as an object. */
export type CorsOptions = Exclude<CORSOptions, false>;

/** Status, headers and body that Yoga would put into a `Response`. */
export interface YogaResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

type IsDocumentCache = (plugin: Plugin) => boolean;

/** Message of Yoga's error for a request without a query. The check runs after every plugin that may provide the query. */
export const NO_QUERY_MESSAGE = 'Must provide query string.';

/** Hooks that run per request, and hooks that add or replace other hooks. */
const REQUEST_HOOKS = [
  'onPluginInit',
  'onSchemaChange',
  'onRequest',
  'onRequestParse',
  'onParams',
  'onEnveloped',
  'onParse',
  'onValidate',
  'onContextBuilding',
  'onExecute',
  'onExecutionResult',
  'onResultProcess',
  'onResponse',
  'instrumentation',
] as const;

/** The base of relative URLs, as in Yoga. */
const BASE_URL = 'http://localhost';
const PLACEHOLDER_URL = `${BASE_URL}/invalid`;

/**
 * Finds hooks of a Yoga server that the fast path would skip: compares the source text of its hooks, and the number of hooks
 * with that text, with a server that has Bandha's plugins alone.
 * @returns names of hooks from other plugins or from options such as `context`, and of hooks of Bandha that are missing
 */
export function detectUnsupportedHooks(yoga: AnyYoga, bandhaPlugins: readonly Plugin[]): string[] {
  const schema = yoga.getEnveloped({}).schema;
  const remaining = new Map<string, number>();
  for (const { text } of getHooks(createYoga({ schema, plugins: [...bandhaPlugins], logging: false }))) {
    remaining.set(text, (remaining.get(text) ?? 0) + 1);
  }
  const unsupported = getHooks(yoga).filter(({ text }) => {
    const count = remaining.get(text) ?? 0;
    remaining.set(text, count - 1);
    return count <= 0;
  });
  const plugins: readonly object[] = getPlugins(yoga);
  const replaced = bandhaPlugins.filter((plugin) => !plugins.includes(plugin)).flatMap(Object.keys);
  return [...new Set([...unsupported.map(({ name }) => name), ...replaced])];
}

/**
 * Finds Yoga's own cache of documents, which has neither a name nor a size limit: compares a server without the cache to one
 * with it.
 * @returns a predicate for plugins; undefined if this version of Yoga has no such plugin
 */
export function findYogaDocumentCache(): IsDocumentCache | undefined {
  const textsWithoutCache = new Set(getParseHooks({ parserAndValidationCache: false }));
  const texts = getParseHooks({}).filter((text) => !textsWithoutCache.has(text));
  if (texts.length === 0) return undefined;
  return ({ onParse }) => onParse !== undefined && texts.includes(String(onParse));
}

/**
 * Replaces plugins of a server before Yoga initializes them.
 * @param plugins the list that `onPluginInit` receives; envelop reads it after every `onPluginInit` has run
 * @param createReplacement called for each plugin that matches; the new plugin takes its position
 */
export function replacePlugin(
  plugins: readonly unknown[],
  matches: IsDocumentCache,
  createReplacement: () => Plugin,
): void {
  const list = plugins as Plugin[]; // envelop's own list
  for (const [index, plugin] of list.entries()) {
    if (plugin && matches(plugin)) list[index] = createReplacement();
  }
}

/**
 * Adds a plugin in front of all others, Yoga's own included, if the list does not contain it yet.
 * @param plugins the list that `onPluginInit` receives
 */
export function prependPlugin(plugins: readonly unknown[], plugin: Plugin): void {
  const list = plugins as Plugin[]; // envelop's own list
  // `onPluginInit` runs again for the plugin whose index this call shifts.
  if (!list.includes(plugin)) list.unshift(plugin);
}

/**
 * Adds a plugin behind all others.
 * @param plugins the list that `onPluginInit` receives
 */
export function appendPlugin(plugins: readonly unknown[], plugin: Plugin): void {
  (plugins as Plugin[]).push(plugin); // envelop's own list
}

/** @returns undefined if the server has `maskedErrors: false` */
export function getErrorMaskOptions(yoga: AnyYoga): ErrorMaskOptions | undefined {
  const { maskedErrorsOpts } = yoga as unknown as { maskedErrorsOpts?: ErrorMaskOptions | null }; // missing in the types
  return maskedErrorsOpts ?? undefined;
}

/**
 * Serializes a result as Yoga does.
 * @param mediaType the media type that the client accepts
 */
export function toYogaResponse(result: ExecutionResult, mediaType: string): YogaResponse {
  let response: YogaResponse | undefined;
  function Captured(body: string, { status, headers }: Pick<YogaResponse, 'status' | 'headers'>) {
    response = { status, headers, body };
  }
  processRegularResult(result, { Response: Captured } as unknown as FetchAPI, mediaType); // reads `Response` alone
  if (response === undefined) throw new Error('processRegularResult of graphql-yoga has created no Response');
  return response;
}

/** The CORS headers that Yoga would add to the response of a request. */
export function getCorsHeaders(headers: IncomingHttpHeaders, cors: CorsOptions): Record<string, string> {
  const get = (name: string) => headers[name]?.toString() ?? null;
  const request = { headers: { get } } as unknown as Request; // `getCORSHeadersByRequestAndOptions` reads headers alone
  return getCORSHeadersByRequestAndOptions(request, cors) ?? {};
}

/** The same request with another URL. Its body stays untouched, because it may have been read already. */
export function withUrl(request: Request, url: URL): Request {
  const changed: Readonly<Record<PropertyKey, unknown>> = { url: url.href, parsedUrl: url }; // the server adapter reads `parsedUrl` first
  return new Proxy(request, {
    get(_, name) {
      if (Object.hasOwn(changed, name)) return changed[name];
      const value: unknown = Reflect.get(request, name, request);
      return typeof value === 'function' ? value.bind(request) : value;
    },
  });
}

/**
 * Makes a server replace URLs that cannot be parsed by a placeholder. A Yoga server that listens without Bandha's listener
 * reads the URL before any hook runs, and would send the error with its stack.
 * @param fetchAPI of the `yoga` that `onYogaInit` receives; later replacements have no effect
 */
export function acceptInvalidUrls(fetchAPI: FetchAPI): void {
  const Base = fetchAPI.Request;
  fetchAPI.Request = class extends Base {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' && !URL.canParse(input, BASE_URL) ? PLACEHOLDER_URL : input, init);
    }
  };
}

function getPlugins(yoga: AnyYoga): readonly Plugin[] {
  return (yoga as unknown as { plugins: readonly Plugin[] }).plugins; // missing in the types
}

function getHooks(yoga: AnyYoga): { name: string; text: string }[] {
  const plugins = getPlugins(yoga) as readonly Record<string, unknown>[]; // hooks are read by name
  return plugins.flatMap((plugin) =>
    REQUEST_HOOKS.flatMap((name) => {
      const hook = plugin?.[name];
      return hook === undefined ? [] : [{ name, text: String(hook) }];
    }),
  );
}

function getParseHooks(options: { parserAndValidationCache?: false }): string[] {
  const plugins = getPlugins(createYoga({ ...options, logging: false }));
  return plugins.flatMap(({ onParse }) => (onParse === undefined ? [] : [String(onParse)]));
}
