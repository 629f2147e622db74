// GraphiQL's fetcher: sends the caller's token, which never reaches GraphiQL's storage.
import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST } from 'graphql';
import type { AuthClient } from '../client/index.ts';
import { CONNECTION_LOST, describeFailure, FailedRequestError, parseResult, UNREACHABLE } from './failure.ts';
import { readEvents } from './read-events.ts';
import {
  createHeaders,
  hasAuthorizationHeader,
  type OperationResponse,
  parseOrEmpty,
  prepareRetry,
  type ResponseBody,
  sendOperation,
} from './send-operation.ts';

export interface FetcherOptions {
  client: AuthClient;
  /** Called before an operation of the user is sent. */
  onRequest(): void;
  /** Called with each response to an operation of the user. */
  onResponse(response: OperationResponse, hasOwnToken: boolean): void;
  /** Called with one sentence if an operation of the user has no result. */
  onFailed(text: string): void;
}

const INTROSPECTION = 'IntrospectionQuery';

export function createFetcher({ client, onRequest, onResponse, onFailed }: FetcherOptions): Fetcher {
  /** Sends a subscription once, and yields its responses. */
  async function* open(
    operation: FetcherParams,
    headers: Record<string, string>,
    token: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseBody> {
    const response = await fetch(client.url, {
      method: 'POST',
      headers: { ...createHeaders(token, 'text/event-stream'), ...headers },
      body: JSON.stringify(operation),
      signal,
    }).catch(failWith(UNREACHABLE));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    const readSingle = async () =>
      parseResult<ResponseBody>(response.status, await response.text().catch(failWith(CONNECTION_LOST)));
    const results = isStream && response.body ? readEvents(response.body) : [await readSingle()];
    for await (const result of results) yield result as ResponseBody; // a GraphQL server sends nothing else
  }

  /** Yields the responses of a subscription; opens it again with a new token each time that it ends with its token. */
  async function* readResponses(
    operation: FetcherParams,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseBody> {
    let mayRetry = true;
    let isOver = false;
    let hasBegun = false;
    try {
      let token = hasAuthorizationHeader(headers) ? null : await client.accessToken();
      while (!isOver) {
        isOver = true;
        for await (const body of open(operation, headers, token, signal)) {
          const retry = await prepareRetry(client, body, { operationType: 'subscription', token, mayRetry });
          ({ mayRetry } = retry);
          if (retry.token !== null) {
            ({ token } = retry);
            isOver = false;
            break;
          }
          onResponse({ body, missingScope: undefined }, hasAuthorizationHeader(headers));
          hasBegun = true;
          yield body;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      const failed = toFailedResponse(error);
      if (!hasBegun) yield failed; // otherwise the last event stays visible
    }
  }

  /** Wraps the generator, because `return` of a generator takes effect only with its next event: this aborts the request at once. */
  function subscribe(operation: FetcherParams, headers: Record<string, string>): AsyncIterable<ResponseBody> {
    const controller = new AbortController();
    const responses = readResponses(operation, headers, controller.signal);
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => responses.next(),
        async return() {
          controller.abort();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  async function send(operation: FetcherParams, headers: Record<string, string>): Promise<ResponseBody> {
    const isIntrospection = operation.operationName === INTROSPECTION;
    try {
      const response = await sendOperation(client, operation, headers);
      if (!isIntrospection) onResponse(response, hasAuthorizationHeader(headers));
      return response.body;
    } catch (error) {
      if (isIntrospection) throw error; // the documentation explorer shows it
      return toFailedResponse(error);
    }
  }

  /** Converts an error to a response, because GraphiQL would show an error with its stack. */
  function toFailedResponse(error: unknown): ResponseBody {
    const message = describeFailure(error);
    onFailed(message);
    return { errors: [{ message }] };
  }

  return ((params, options) => {
    if (params.operationName !== INTROSPECTION) onRequest();
    const headers: Record<string, string> = options?.headers ?? {};
    const document = parseOrEmpty(params.query);
    const operation = { ...params, operationName: findOperationName(document, params.operationName) };
    return getOperationAST(document, operation.operationName)?.operation === 'subscription'
      ? subscribe(operation, headers)
      : send(operation, headers);
  }) as Fetcher; // GraphiQL's type of a response has no extensions
}

function failWith(message: string): () => never {
  return () => {
    throw new FailedRequestError(message);
  };
}

/** Takes the name of a single operation from the document: GraphiQL updates its own a moment after the text has changed. */
function findOperationName(
  document: DocumentNode,
  name: string | null | undefined,
): string | null | undefined {
  const single = getOperationAST(document);
  return single ? single.name?.value : name;
}
