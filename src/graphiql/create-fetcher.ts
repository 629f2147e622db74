// How GraphiQL asks: with the caller's token, which stays out of everything that GraphiQL stores.
import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST, Kind, parse } from 'graphql';
import type { AuthClient } from '../client/index.ts';
import { CONNECTION_LOST, describeFailure, FailedRequestError, parseResult, UNREACHABLE } from './failure.ts';
import { readEvents } from './read-events.ts';
import {
  checkToken,
  hasAuthorizationHeader,
  headersFor,
  type OperationResponse,
  type ResponseBody,
  sendOperation,
} from './send-operation.ts';

export interface FetcherOptions {
  client: AuthClient;
  /** Told when an operation of the user begins. */
  onRequest(): void;
  /** Told of each answer to an operation of the user. */
  onResponse(sent: OperationResponse, hasOwnToken: boolean): void;
  /** Called with one sentence if an operation of the user has no result. */
  onFailed(text: string): void;
}

const INTROSPECTION = 'IntrospectionQuery';

export function createFetcher({ client, onRequest, onResponse, onFailed }: FetcherOptions): Fetcher {
  /** The answers to one request. */
  async function* open(
    operation: FetcherParams,
    headers: Record<string, string>,
    token: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseBody> {
    const response = await fetch(client.url, {
      method: 'POST',
      headers: { ...headersFor(token, 'text/event-stream'), ...headers },
      body: JSON.stringify(operation),
      signal,
    }).catch(failWith(UNREACHABLE));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    const readOnce = async () =>
      parseResult<ResponseBody>(response.status, await response.text().catch(failWith(CONNECTION_LOST)));
    const responses = isStream && response.body ? readEvents(response.body) : [await readOnce()];
    for await (const response of responses) yield response as ResponseBody; // what a GraphQL server sends
  }

  /** Asks once more, with another token, where the token has expired; again only after an answer that says otherwise. */
  async function* readResponses(
    operation: FetcherParams,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseBody> {
    let mayRenew = true;
    let isOver = false;
    let hasBegun = false;
    try {
      let token = hasAuthorizationHeader(headers) ? null : await client.accessToken();
      while (!isOver) {
        isOver = true;
        for await (const response of open(operation, headers, token, signal)) {
          const tokenError = token === null ? undefined : checkToken(client, token, response);
          const renewed =
            token !== null && tokenError === 'TOKEN_EXPIRED' && mayRenew ? await client.renew(token) : null;
          mayRenew = tokenError === undefined; // what has begun may outlive several tokens
          if (renewed !== null) {
            token = renewed;
            isOver = false;
            break;
          }
          onResponse({ body: response, missingScope: undefined }, hasAuthorizationHeader(headers));
          hasBegun = true;
          yield response;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      const failed = toFailedResponse(error);
      if (!hasBegun) yield failed; // the last event stays in sight
    }
  }

  /** A generator that waits hears of its end with the next event only; this ends at once, and the request with it. */
  function subscribe(operation: FetcherParams, headers: Record<string, string>): AsyncIterable<ResponseBody> {
    const stopped = new AbortController();
    const responses = readResponses(operation, headers, stopped.signal);
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => responses.next(),
        async return() {
          stopped.abort();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  async function send(operation: FetcherParams, headers: Record<string, string>): Promise<ResponseBody> {
    const isIntrospection = operation.operationName === INTROSPECTION;
    try {
      const sent = await sendOperation(client, operation, headers);
      if (!isIntrospection) onResponse(sent, hasAuthorizationHeader(headers));
      return sent.body;
    } catch (error) {
      if (isIntrospection) throw error; // the documentation explorer shows that
      return toFailedResponse(error);
    }
  }

  /** Shown as a response: GraphiQL would show an error with its stack. */
  function toFailedResponse(error: unknown): ResponseBody {
    const message = describeFailure(error);
    onFailed(message);
    return { errors: [{ message }] };
  }

  return ((given, options) => {
    if (given.operationName !== INTROSPECTION) onRequest();
    const headers: Record<string, string> = options?.headers ?? {};
    const document = parseIfValid(given.query);
    const operation = { ...given, operationName: nameOf(document, given.operationName) };
    return getOperationAST(document, operation.operationName)?.operation === 'subscription'
      ? subscribe(operation, headers)
      : send(operation, headers);
  }) as Fetcher; // GraphiQL's type of an answer names no extensions
}

function failWith(message: string): () => never {
  return () => {
    throw new FailedRequestError(message);
  };
}

const NOTHING: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] };

function parseIfValid(query: string): DocumentNode {
  try {
    return parse(query);
  } catch {
    return NOTHING; // the server says what is wrong with it
  }
}

/** The editor names its operation a moment after it was written; until then the name may be an earlier one's. */
function nameOf(document: DocumentNode, name: string | null | undefined): string | null | undefined {
  const only = getOperationAST(document);
  return only ? only.name?.value : name;
}
