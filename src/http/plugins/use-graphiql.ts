// GraphiQL for a browser: the built page at the endpoint, its files beside it, and what each field needs.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GraphQLSchema } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import type { EnforcedSchema } from '../../authorization/enforce-schema.ts';
import { explainSchema } from '../../authorization/explain.ts';
import type { Requirement } from '../../authorization/requirement.ts';
import type { Authentication } from '../../tokens/authenticate.ts';
import { ASSET_HEADERS, PAGE_HEADERS } from '../headers.ts';

export interface GraphiqlOptions {
  /** From request headers to the caller. */
  authenticate(headers: Headers): Authentication | Promise<Authentication>;
  enforcedSchema: Pick<EnforcedSchema, 'enforced' | 'accessRules' | 'isReportOnly' | 'now' | 'permittedFor'>;
  /** Whether everyone sees what every field needs, as in development. @default false */
  showsAll?: boolean;
  /** `closed`: the page offers no button that creates an account. @default 'open' */
  signup?: 'open' | 'closed';
  /** Where the page was built to; default `dist/graphiql`, as seen from `src/http` and from `dist/http` alike. */
  folder?: string;
}

/** What protected fields need, by coordinate: of those that the caller may see. */
export type Requirements = Record<string, Requirement>;

const ENDPOINT = '/graphql';
const FILES = '/graphiql/';
const REQUIREMENTS = `${FILES}requirements.json`;
/** Empty in a bundle of CommonJS, which has no `import.meta`: the page is not there. */
const BUILT = import.meta.url && fileURLToPath(new URL('../../../dist/graphiql', import.meta.url));
const NOT_BUILT = `GraphiQL is not built here. Build it, and reload this page:

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
 * Serves GraphiQL to browsers: `GET /graphql` that accepts HTML, the page's files under `/graphiql/`, and there
 * `requirements.json`, filtered for the caller as introspection is. Everything else passes through.
 */
export function useGraphiql(options: GraphiqlOptions): Plugin {
  const { authenticate, enforcedSchema, signup = 'open', showsAll = false, folder = BUILT } = options;
  const { enforced, accessRules, isReportOnly: isReporting, now, permittedFor } = enforcedSchema;

  async function requirementsFor(headers: Headers): Promise<Requirements> {
    const { principal, problem } = await authenticate(headers);
    // As introspection does.
    const schema =
      isReporting || showsAll ? enforced : permittedFor({ principal, tokenProblem: problem, now });
    const explained = schema === undefined ? [] : explainSchema(schema, accessRules);
    return Object.fromEntries(
      explained
        .filter(({ requirement }) => requirement.length > 0)
        .map(({ coordinate, requirement }) => [coordinate, requirement]),
    );
  }

  async function respond(request: Request, { pathname, search }: URL, { Response }: FetchAPI) {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } });
    }
    if (pathname === REQUIREMENTS) {
      const requirements = await requirementsFor(request.headers);
      return new Response(JSON.stringify(requirements), {
        headers: { 'content-type': 'application/json; charset=utf-8', vary: 'authorization' },
      });
    }
    if (pathname.startsWith(FILES)) {
      const file = await readAsset(folder, pathname.slice(FILES.length), request.headers);
      return file === undefined
        ? new Response('Not found', { status: 404, headers: { 'content-type': TEXT } })
        : new Response(file.content, { headers: file.headers });
    }
    // The page names its files as seen from the endpoint. Relative, since a proxy may serve it below a path.
    if (pathname !== ENDPOINT) {
      return new Response(null, { status: 302, headers: { Location: `..${ENDPOINT}${search}` } });
    }
    const page = await readOptionalFile(join(folder, 'index.html'));
    return page === undefined
      ? new Response(NOT_BUILT, { status: 503, headers: { 'content-type': TEXT } })
      : new Response(withSettings(page, { 'sign-up': signup, 'starter-query': findStarterQuery(enforced) }), {
          headers: PAGE_HEADERS,
        });
  }

  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (!url.pathname.startsWith(FILES) && !isPageRequest(request, url)) return;
      return respond(request, url, fetchAPI).then(endResponse);
    },
  };
}

/** Puts settings into the page's `<meta>` elements, so that the page need not wait for the schema. */
function withSettings(page: Uint8Array, settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).reduce(
    (html, [name, value]) =>
      html.replace(RegExp(`(<meta name="bandha-${name}" content=)"[^"]*"`), `$1"${value}"`),
    new TextDecoder().decode(page),
  );
}

/** The root field of the query that a new editor contains; `secureData` is not part of an application's schema. */
function findStarterQuery(schema: GraphQLSchema): 'secureData' | 'viewer' {
  return Object.hasOwn(schema.getQueryType()?.getFields() ?? {}, 'secureData') ? 'secureData' : 'viewer';
}

/** As browsers do, and API clients do not. */
function isPageRequest({ method, headers }: Request, { pathname }: URL): boolean {
  return (
    (pathname === ENDPOINT || pathname === `${ENDPOINT}/`) &&
    (method === 'GET' || method === 'HEAD') &&
    (headers.get('accept') ?? '').includes('text/html')
  );
}

/** One file of the page, packed where the browser unpacks; undefined where there is none of that name. */
async function readAsset(folder: string, name: string, requestHeaders: Headers) {
  const type = CONTENT_TYPES[extname(name)];
  // A bare name, so nothing outside the folder can be named.
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

/** @returns undefined where there is no such file */
async function readOptionalFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // what node:fs rejects with
    throw error;
  }
}
