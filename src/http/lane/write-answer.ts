// From a result to status, headers and body: what Yoga's door would answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CORSOptions, getCORSHeadersByRequestAndOptions } from '@whatwg-node/server';
import type { ExecutionResult } from 'graphql';
import { type FetchAPI, processRegularResult } from 'graphql-yoga';
import { RESPONSE_HEADERS } from '../response-headers.ts';

/** As Yoga takes it, but for the function. */
export type Cors = Exclude<CORSOptions, false>;

/** What a request's `Accept` comes to, for those that clients send; the other door works out the rest. */
const ACCEPTED_TYPES: ReadonlyMap<string, string> = new Map([
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/json, */*', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  ['application/json, multipart/mixed', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json', 'application/graphql-response+json'],
  ['application/graphql-response+json,application/json;q=0.9', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  [
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'application/graphql-response+json',
  ],
]);

/** @returns undefined where the other door has to find out */
export function acceptedTypeOf(accept: string | undefined): string | undefined {
  return ACCEPTED_TYPES.get(accept ?? '');
}

interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  bytes: number;
}

/** @param countResponse told of each status */
export function createAnswerWriter(cors: Cors | undefined, countResponse: (status: number) => void) {
  /** Refusals are the same objects for request after request, so each is written out once. */
  const written = new WeakMap<object, Map<string, Answer>>();

  function answerOf(result: ExecutionResult, accepted: string): Answer {
    if (result.errors === undefined) return plainAnswer(result, accepted);
    const known = written.get(result.errors) ?? new Map<string, Answer>();
    written.set(result.errors, known);
    const answer = known.get(accepted) ?? answerWithErrors(result, accepted);
    known.set(accepted, answer);
    return answer;
  }

  return (result: ExecutionResult, accepted: string, req: IncomingMessage, res: ServerResponse): void => {
    if (res.destroyed || res.writableEnded) return; // nobody is there any more
    const { status, headers, body, bytes } = answerOf(result, accepted);
    res.writeHead(status, {
      ...headers,
      'content-length': bytes,
      ...(req.headers.origin !== undefined && cors !== undefined && corsHeaders(req, cors)),
      ...(result.errors === undefined ? RESPONSE_HEADERS : lacking(headers)),
    });
    res.end(body);
    countResponse(status);
  };
}

/** An error may bring headers of its own. */
function lacking(headers: Readonly<Record<string, string>>) {
  const there = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(RESPONSE_HEADERS).filter(([name]) => !there.has(name)));
}

function plainAnswer(result: ExecutionResult, accepted: string): Answer {
  const body = JSON.stringify(result);
  return {
    status: 200,
    headers: { 'Content-Type': `${accepted}; charset=utf-8` },
    body,
    bytes: Buffer.byteLength(body),
  };
}

/** Status, headers and body are Yoga's; only the object that holds them is not a `Response`. */
function answerWithErrors(result: ExecutionResult, accepted: string): Answer {
  let answer: Answer | undefined;
  function Captured(body: string, { status, headers }: { status: number; headers: Record<string, string> }) {
    answer = { status, headers, body, bytes: Buffer.byteLength(body) };
  }
  processRegularResult(result, { Response: Captured } as unknown as FetchAPI, accepted); // all of it that is used
  if (answer === undefined) throw new Error('Yoga has not answered');
  return answer;
}

function corsHeaders({ headers }: IncomingMessage, cors: Cors): Record<string, string> {
  const get = (name: string) => headers[name]?.toString() ?? null;
  const request = { headers: { get } } as unknown as Request; // all of it that is used
  const named = getCORSHeadersByRequestAndOptions(request, cors) ?? {};
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name.toLowerCase(), value]));
}
