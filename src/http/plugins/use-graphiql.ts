// Serves GraphiQL to browsers: the built page at the endpoint, its files, and the access requirements of fields.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GraphQLSchema, getNamedType } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import type { EnforcedSchema } from '../../authorization/enforce-schema.ts';
import { explainSchema } from '../../authorization/explain.ts';
import type { Requirement } from '../../authorization/requirement.ts';
import type { Authentication } from '../../tokens/authenticate.ts';
import { ASSET_HEADERS, JSON_CONTENT_TYPE, PAGE_HEADERS } from '../headers.ts';
import { isEndpoint } from '../request-target.ts';
import { isReadMethod, methodNotAllowed } from '../responses.ts';

export interface GraphiqlOptions {
  /** Authenticates the caller by the headers of the request. */
  authenticate(headers: Headers): Authentication | Promise<Authentication>;
  enforcedSchema: Pick<EnforcedSchema, 'enforced' | 'accessRules' | 'isReportOnly' | 'now' | 'permittedFor'>;
  /** Shows the requirements of all fields to every caller, for development. @default false */
  showsAll?: boolean;
  /** `closed`: the page has no button to create an account. @default 'open' */
  signup?: 'open' | 'closed';
  /** Folder of the built page. @default dist/graphiql of this package */
  folder?: string;
}

/** Requirements of the protected fields that the caller may see, by coordinate. */
export type Requirements = Record<string, Requirement>;

const ENDPOINT = '/graphql';
const FILES = '/graphiql/';
const REQUIREMENTS = `${FILES}requirements.json`;
/** `dist/graphiql`, relative to `src/http/plugins` and `dist/http/plugins` alike. Empty in a CommonJS bundle, which has no `import.meta`. */
const BUILT = import.meta.url && fileURLToPath(new URL('../../../dist/graphiql', import.meta.url));
const NOT_BUILT = `GraphiQL is not built. Run this command and reload the page:

  npm run build:graphiql
`;

const TEXT = 'text/plain; charset=utf-8';
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/**
 * Serves GraphiQL at `GET /graphql` to clients that accept HTML, and the page's files under `/graphiql/`, among them
 * `requirements.json`, which is filtered by caller like introspection. Other requests pass through.
 */
export function useGraphiql(options: GraphiqlOptions): Plugin {
  const { authenticate, enforcedSchema, signup = 'open', showsAll = false, folder = BUILT } = options;
  const { enforced, accessRules, isReportOnly, now, permittedFor } = enforcedSchema;

  async function requirementsFor(headers: Headers): Promise<Requirements> {
    const { principal, problem } = await authenticate(headers);
    // The same schema that introspection gives to the caller.
    const schema =
      isReportOnly || showsAll ? enforced : permittedFor({ principal, tokenProblem: problem, now });
    const explained = schema === undefined ? [] : explainSchema(schema, accessRules);
    return Object.fromEntries(
      explained
        .filter(({ requirement }) => requirement.length > 0)
        .map(({ coordinate, requirement }) => [coordinate, requirement]),
    );
  }

  async function respond(request: Request, { pathname, search }: URL, fetchAPI: FetchAPI) {
    const { Response } = fetchAPI;
    if (!isReadMethod(request.method)) return methodNotAllowed(fetchAPI);
    if (pathname === REQUIREMENTS) {
      const requirements = await requirementsFor(request.headers);
      return new Response(JSON.stringify(requirements), {
        headers: { 'content-type': JSON_CONTENT_TYPE, vary: 'authorization' },
      });
    }
    if (pathname.startsWith(FILES)) {
      const file = await readAsset(folder, pathname.slice(FILES.length), request.headers);
      return file === undefined
        ? new Response('Not found', { status: 404, headers: { 'content-type': TEXT } })
        : new Response(file.content, { headers: file.headers });
    }
    // The page's links are relative to the endpoint. The location is relative too, because a proxy may serve the server below a path.
    if (pathname !== ENDPOINT) {
      return new Response(null, { status: 302, headers: { Location: `..${ENDPOINT}${search}` } });
    }
    const page = await readOptionalFile(join(folder, 'index.html'));
    return page === undefined
      ? new Response(NOT_BUILT, { status: 503, headers: { 'content-type': TEXT } })
      : new Response(withSettings(page, { 'sign-up': signup, 'starter-query': findStarterQuery(enforced) }), {
          headers: { ...PAGE_HEADERS }, // a copy, to which CORS may add headers of this request
        });
  }

  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (!url.pathname.startsWith(FILES) && !isPageRequest(request, url)) return;
      return respond(request, url, fetchAPI).then(endResponse);
    },
  };
}

/** Writes settings into the page's `<meta>` elements, so that the page need not wait for the schema. */
function withSettings(page: Uint8Array, settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).reduce(
    (html, [name, value]) =>
      html.replace(RegExp(`(<meta name="bandha-${name}" content=)"[^"]*"`), `$1"${value}"`),
    new TextDecoder().decode(page),
  );
}

/** The root field of the query that a new editor contains; `secureData` is not part of an application's schema. */
function findStarterQuery(schema: GraphQLSchema): 'secureData' | 'viewer' {
  const field = schema.getQueryType()?.getFields().secureData;
  // An application may have a field of this name with another type.
  return field !== undefined && getNamedType(field.type).name === 'SecureData' ? 'secureData' : 'viewer';
}

/** Whether a browser requests the page. API clients do not accept HTML. */
function isPageRequest({ method, headers }: Request, { pathname }: URL): boolean {
  return (
    isEndpoint(pathname, ENDPOINT) &&
    isReadMethod(method) &&
    (headers.get('accept') ?? '').includes('text/html')
  );
}

/**
 * Reads one file of the page, compressed if the browser accepts gzip.
 * @returns undefined if the file does not exist
 */
async function readAsset(folder: string, name: string, requestHeaders: Headers) {
  const type = CONTENT_TYPES[extname(name)];
  // Accepts bare file names only, so that no path can leave the folder.
  if (type === undefined || !/^[\w-][\w.-]*$/.test(name)) return undefined;
  const path = join(folder, 'graphiql', name);
  const headers = { ...ASSET_HEADERS, 'content-type': type };
  const compressed = /\bgzip\b/.test(requestHeaders.get('accept-encoding') ?? '')
    ? await readOptionalFile(`${path}.gz`)
    : undefined;
  if (compressed !== undefined)
    return { content: compressed, headers: { ...headers, 'content-encoding': 'gzip' } };
  const content = await readOptionalFile(path);
  return content && { content, headers };
}

/** @returns undefined if the file does not exist */
async function readOptionalFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // node:fs rejects with this type
    throw error;
  }
}
