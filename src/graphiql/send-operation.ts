// Sends one operation with the caller's token, and again if the token had expired.
import { type DocumentNode, getOperationAST, Kind, parse } from 'graphql';
import type { AuthClient } from '../client/index.ts';
import { decideRetry, type RetryInput } from '../client/retry.ts';
import { abortAfter } from '../client/time-limit.ts';
import { CONNECTION_LOST, FailedRequestError, parseResult, UNREACHABLE } from './failure.ts';

export interface Operation {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

export interface ResponseError {
  message: string;
  extensions?: { code?: string; reason?: string; coordinate?: string };
}

export interface ResponseBody {
  data?: Record<string, unknown> | null;
  errors?: ResponseError[];
}

export interface OperationResponse {
  body: ResponseBody;
  /** `scope` of the `WWW-Authenticate` header: the missing scopes, separated by spaces (RFC 6750, section 3). */
  missingScope: string | undefined;
}

/** GraphiQL has no button to cancel a query, so each one has a timeout. */
const TIMEOUT_SECONDS = 60;
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/**
 * Sends an operation that has a single response.
 * @param headers of the user; an `authorization` header replaces the caller's token
 * @throws FailedRequestError if there is no GraphQL result; AuthClientError if the token cannot be refreshed
 */
export async function sendOperation(
  client: AuthClient,
  operation: Operation,
  headers: Record<string, string> = {},
): Promise<OperationResponse> {
  const { query, operationName } = operation;
  let token = hasAuthorizationHeader(headers) ? null : await client.accessToken();
  let mayRetry = true;
  for (;;) {
    const response = await post(client.url, operation, headers, token);
    const operationType = getOperationAST(parseOrEmpty(query), operationName)?.operation;
    const retry = await prepareRetry(client, response.body, { operationType, token, mayRetry });
    if (retry.token === null) return response;
    ({ token, mayRetry } = retry);
  }
}

/**
 * Decides whether an operation is sent again. Renews an expired token, and signs out if the session was revoked.
 * @returns the token to send the operation with; null: deliver the response
 */
export async function prepareRetry(
  client: AuthClient,
  { errors, data }: ResponseBody,
  attempt: Pick<RetryInput, 'operationType' | 'mayRetry'> & { token: string | null },
): Promise<{ token: string | null; mayRetry: boolean }> {
  const { token } = attempt;
  const { action, mayRetry } = decideRetry({ ...attempt, errors, data });
  if (token === null || action === 'deliver') return { token: null, mayRetry };
  if (action === 'renew') return { token: await client.renew(token), mayRetry };
  client.revoked(token);
  return { token: null, mayRetry };
}

/** Whether the user's own headers authenticate the request. */
export function hasAuthorizationHeader(headers: Record<string, unknown>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

/** Headers of a JSON request, with the caller's token if there is one. */
export function createHeaders(token: string | null, accept: string): Record<string, string> {
  const authorization = token === null ? undefined : { authorization: `Bearer ${token}` };
  return { accept, 'content-type': 'application/json', ...authorization };
}

const EMPTY: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] };

/** Parses a query. A syntax error gives an empty document: the server reports the error. */
export function parseOrEmpty(query: string): DocumentNode {
  try {
    return parse(query);
  } catch {
    return EMPTY;
  }
}

async function post(
  url: string,
  operation: Operation,
  headers: Record<string, string>,
  token: string | null,
): Promise<OperationResponse> {
  return abortAfter(TIMEOUT_SECONDS * 1000, async (signal) => {
    const fail = (message: string) => () => {
      const timeout = `The server did not respond within ${TIMEOUT_SECONDS} seconds.`;
      throw new FailedRequestError(signal.aborted ? timeout : message);
    };
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...createHeaders(token, ACCEPT), ...headers },
      body: JSON.stringify(operation),
      signal,
    }).catch(fail(UNREACHABLE));
    const text = await response.text().catch(fail(CONNECTION_LOST));
    const challenge = response.headers.get('www-authenticate') ?? '';
    return {
      body: parseResult<ResponseBody>(response.status, text),
      missingScope: /\bscope="([^"]*)"/.exec(challenge)?.[1],
    };
  });
}
