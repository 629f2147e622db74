// Checks the type, the encoding and the length of an operation's body before it is read.
import { GraphQLError } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { ConfigError } from '../../errors.ts';
import { findNodeRequest, findRawHeader, type NodeRequest } from '../request-target.ts';
import { appendPlugin } from '../yoga-internals.ts';

export interface BodyCheckOptions {
  /** Maximum length of a body, in bytes; beyond it, 413. */
  maxBodyBytes: number;
  /** Accepts multipart bodies, for file uploads, up to a length in bytes. @default multipart bodies are rejected with 415 */
  multipart?: { maxBodyBytes: number } | undefined;
}

/** Default of `maxBodyBytes`, in bytes. */
export const MAX_BODY_BYTES = 100_000;

/** @throws {@link ConfigError} with an issue for each limit that is not a whole number above 0 */
export function assertBodyCheckOptions({ maxBodyBytes, multipart }: BodyCheckOptions): void {
  const input = {
    maxBodyBytes,
    ...(multipart !== undefined && { 'multipart.maxBodyBytes': multipart?.maxBodyBytes }),
  };
  const issues = Object.entries(input)
    .filter(([, bytes]) => !Number.isSafeInteger(bytes) || bytes < 1)
    .map(([name]) => `${name}: must be a whole number of bytes, at least 1`);
  if (issues.length > 0) throw new ConfigError(issues);
}

type RequestParser = NonNullable<OnRequestParsePayload['requestParser']>;
type OnRequestParsePayload = Parameters<NonNullable<Plugin['onRequestParse']>>[0];

/** Content types that HTML forms can send to other sites from the user's address, without a CORS preflight. */
const FORM_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
]);
/** Headers that forms cannot send, as used by Yoga, Apollo, Hot Chocolate and GraphQL.NET. */
const PREFLIGHT_HEADERS = [
  'x-graphql-yoga-csrf',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'graphql-preflight',
  'graphql-require-preflight',
] as const;

/**
 * Rejects bodies that are too long, compressed or multipart, and bodies that a form on another site could have sent (CSRF).
 * Runs after the other plugins have chosen a parser, so that it covers each of them, and after a plugin that decompresses
 * bodies.
 */
export function useBodyChecks(limits: BodyCheckOptions): Plugin {
  /** Requests with a compressed body, as they arrived. A plugin that decompresses the body replaces the request. */
  const compressed = new WeakSet<Request>();

  const bodyPlugin: Plugin = {
    onRequestParse({ request, requestParser, setRequestParser, serverContext, fetchAPI }) {
      if (request.method !== 'POST') {
        if (requestParser !== undefined) setRequestParser(withClearErrors(requestParser));
        return;
      }
      const req = findNodeRequest(serverContext);
      const isParsed = hasParsedBody(req);
      // Yoga sets the type to JSON if a middleware has parsed the body, so the original header decides.
      const contentType = req ? findRawHeader(req, 'content-type') : request.headers.get('content-type');
      const type = mediaTypeOf(contentType ?? '');
      if (type === 'multipart/form-data' && limits.multipart === undefined) {
        throw rejection(415, 'Multipart requests are not accepted here. Send application/json.');
      }
      if (requestParser === undefined) return; // Yoga responds with 415
      const triggersPreflight = PREFLIGHT_HEADERS.some((name) => request.headers.get(name));
      if (FORM_TYPES.has(type) && !triggersPreflight) {
        throw rejection(
          400,
          `A form could send this request from another site. Send application/json, or add the header ${PREFLIGHT_HEADERS[0]}: 1.`,
        );
      }
      const isEncoded = hasEncoding(request);
      if (isEncoded && !isParsed && compressed.has(request)) {
        throw rejection(415, 'Compressed bodies are not accepted here.', { 'Accept-Encoding': 'identity' });
      }
      const limit =
        type === 'multipart/form-data' ? (limits.multipart?.maxBodyBytes ?? 0) : limits.maxBodyBytes;
      const length = request.headers.get('content-length');
      if (Number(length) > limit) throw tooLarge();
      // Servers enforce Content-Length for the body as sent, but not for the decompressed body.
      const isMeasured = isParsed || request.body === null || (length !== null && !isEncoded);
      const parse = withClearErrors(requestParser);
      setRequestParser(
        isMeasured ? parse : async (request) => parse(await readWithin(request, limit, fetchAPI)),
      );
    },
  };

  return {
    onPluginInit({ plugins }) {
      appendPlugin(plugins, bodyPlugin);
    },
    onRequest({ request }) {
      if (hasEncoding(request)) compressed.add(request);
    },
  };
}

/** The essence of a media type. If a client sends a list, Yoga uses the first. */
function mediaTypeOf(contentType: string): string {
  return (/^[^;,]*/.exec(contentType)?.[0] ?? '').trim().toLowerCase();
}

function hasEncoding({ headers }: Request): boolean {
  return !/^(?:[\s,]|identity\b)*$/i.test(headers.get('content-encoding') ?? '');
}

/** Whether a middleware such as `express.json()` has parsed the body. A stream has not been parsed. */
function hasParsedBody(req: NodeRequest | undefined): boolean {
  const { body } = req ?? {};
  return body != null && !(typeof body === 'object' && 'pipe' in body);
}

/** Replaces Yoga's errors: they repeat the message of the JSON parser, which quotes the body, or are masked as unexpected. */
function withClearErrors(parse: RequestParser): RequestParser {
  return async (request) => {
    try {
      return await parse(request);
    } catch (error) {
      if (error instanceof SyntaxError) throw rejection(400, 'variables and extensions must be JSON.');
      if (error instanceof GraphQLError && error.extensions.originalError !== undefined) {
        throw rejection(400, error.message);
      }
      throw error;
    }
  };
}

/** @returns a request whose body has been read into memory, and is at most `limit` bytes long */
async function readWithin(request: Request, limit: number, fetchAPI: FetchAPI): Promise<Request> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  for (let read = await reader?.read(); read?.value; read = await reader?.read()) {
    bytes += read.value.byteLength;
    // Does not cancel the stream, because that would close the connection before the response is sent.
    if (bytes > limit) throw tooLarge();
    chunks.push(read.value);
  }
  return new fetchAPI.Request(request.url, {
    method: request.method,
    headers: request.headers,
    signal: request.signal,
    body: Buffer.concat(chunks),
  });
}

function tooLarge(): GraphQLError {
  return new GraphQLError('Request body too large', {
    extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', http: { status: 413 } },
  });
}

function rejection(status: number, message: string, headers?: Record<string, string>): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_REQUEST', http: { status, ...(headers && { headers }) } },
  });
}
