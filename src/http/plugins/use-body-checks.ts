// Checks an operation's body before it is read: its type, its encoding, its size.
import { GraphQLError } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { ConfigError } from '../../errors.ts';
import { findNodeRequest, findRawHeader, type NodeRequest } from '../request-target.ts';

export interface BodyCheckOptions {
  /** Maximum length of a body, in bytes. */
  maxBodyBytes: number;
  /** Accepts multipart bodies, for uploads of files, up to so many bytes. @default they are rejected with 415 */
  multipart?: { maxBodyBytes: number } | undefined;
}

/** Default of `maxBodyBytes`. */
export const MAX_BODY_BYTES = 100_000;

/** @throws ConfigError naming each limit that is not a number of bytes */
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

/** What an HTML form can send to another site, with the caller's address and without the browser asking first. */
const FORM_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
]);
/** Headers that a form cannot send: those of Yoga, Apollo, Hot Chocolate and GraphQL.NET. */
const PREFLIGHT_HEADERS = [
  'x-graphql-yoga-csrf',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'graphql-preflight',
  'graphql-require-preflight',
] as const;

/**
 * Rejects bodies of operations that are too long, compressed, multipart, or sent by what may be a form of another site. Runs
 * after the other plugins have chosen a parser, so that it checks for each of them, and after one that decompresses bodies.
 */
export function useBodyChecks(limits: BodyCheckOptions): Plugin {
  /** Requests whose body no plugin has decompressed since they arrived: it would have replaced the request. */
  const original = new WeakSet<Request>();

  const last: Plugin = {
    onRequestParse({ request, requestParser, setRequestParser, serverContext, fetchAPI }) {
      if (request.method !== 'POST') {
        if (requestParser !== undefined) setRequestParser(withClearErrors(requestParser));
        return;
      }
      const req = findNodeRequest(serverContext);
      const isParsed = hasParsedBody(req);
      // Yoga calls every body JSON that a middleware has parsed, so the type is read from what arrived.
      const input = req ? findRawHeader(req, 'content-type') : request.headers.get('content-type');
      const type = mediaTypeOf(input ?? '');
      if (type === 'multipart/form-data' && limits.multipart === undefined) {
        throw rejection(415, 'Multipart requests are not accepted here. Send application/json.');
      }
      if (requestParser === undefined) return; // Yoga answers 415
      const triggersPreflight = PREFLIGHT_HEADERS.some((name) => request.headers.get(name));
      if (FORM_TYPES.has(type) && !triggersPreflight) {
        throw rejection(
          400,
          `A form could send this request from another site. Send application/json, or add the header ${PREFLIGHT_HEADERS[0]}: 1.`,
        );
      }
      const isEncoded = hasEncoding(request);
      if (isEncoded && !isParsed && original.has(request)) {
        throw rejection(415, 'Compressed bodies are not accepted here.', { 'Accept-Encoding': 'identity' });
      }
      const limit =
        type === 'multipart/form-data' ? (limits.multipart?.maxBodyBytes ?? 0) : limits.maxBodyBytes;
      const length = request.headers.get('content-length');
      if (Number(length) > limit) throw tooLarge();
      // Servers hold a body to its Content-Length, but not what it decompresses to.
      const isMeasured = isParsed || request.body === null || (length !== null && !isEncoded);
      const parse = withClearErrors(requestParser);
      setRequestParser(isMeasured ? parse : async (input) => parse(await readWithin(input, limit, fetchAPI)));
    },
  };

  return {
    onPluginInit({ plugins }) {
      plugins.push(last as (typeof plugins)[number]); // their contexts differ in type alone
    },
    onRequest({ request }) {
      if (hasEncoding(request)) original.add(request);
    },
  };
}

/** The essence of a media type; clients that send a list of them mean the first, for Yoga. */
function mediaTypeOf(contentType: string): string {
  return (/^[^;,]*/.exec(contentType)?.[0] ?? '').trim().toLowerCase();
}

function hasEncoding({ headers }: Request): boolean {
  return !/^(?:[\s,]|identity\b)*$/i.test(headers.get('content-encoding') ?? '');
}

/** Whether a middleware such as `express.json()` has read the body; a stream in its place has not been read. */
function hasParsedBody(req: NodeRequest | undefined): boolean {
  const { body } = req ?? {};
  return body != null && !(typeof body === 'object' && 'pipe' in body);
}

/** Yoga repeats the JSON parser's message, which quotes the body, or calls it unexpected. */
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

/** The request with its body read, so that it can be measured. */
async function readWithin(request: Request, limit: number, fetchAPI: FetchAPI): Promise<Request> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  for (let read = await reader?.read(); read?.value; read = await reader?.read()) {
    bytes += read.value.byteLength;
    // The stream is left as it is: to cancel it would close the connection before the response is sent.
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
