// One operation to the server, with the caller's token, and once more where the token had expired.
import { type DocumentNode, Kind, parse } from 'graphql';
import type { AuthClient } from '../client/index.ts';
import { abortAfter } from '../client/time-limit.ts';
import { findTokenError, type TokenErrorReason } from '../client/token-errors.ts';
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

/** An operation's answer, and what its headers say of the scopes that are missing (RFC 6750, section 3). */
export interface OperationResponse {
  body: ResponseBody;
  missingScope: string | undefined;
}

/** GraphiQL has no button that stops a query; one that takes longer is a server that does not answer. */
const TIMEOUT_SECONDS = 60;
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/**
 * Sends an operation that has one answer. Headers given go before the caller's token.
 * @throws FailedRequestError if there is no GraphQL result; AuthClientError if the token cannot be refreshed
 */
export async function sendOperation(
  client: AuthClient,
  operation: Operation,
  headers: Record<string, string> = {},
): Promise<OperationResponse> {
  const token = hasAuthorizationHeader(headers) ? null : await client.accessToken();
  const sent = await post(client.url, operation, headers, token);
  if (token === null) return sent;
  if (checkToken(client, token, sent.body) !== 'TOKEN_EXPIRED' || !mayRepeat(operation, sent.body))
    return sent;
  const renewed = await client.renew(token);
  if (renewed === null) return sent;
  const again = await post(client.url, operation, headers, renewed);
  checkToken(client, renewed, again.body);
  return again;
}

/** Why the token was not accepted; the client is told where its session has ended. */
export function checkToken(
  client: AuthClient,
  token: string,
  { errors }: ResponseBody,
): TokenErrorReason | undefined {
  const tokenError = findTokenError(errors);
  if (tokenError === 'TOKEN_REVOKED') client.revoked(token);
  return tokenError;
}

/** Whether headers of the user's own say who is asking. */
export function hasAuthorizationHeader(headers: Record<string, unknown>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

async function post(
  url: string,
  operation: Operation,
  headers: Record<string, string>,
  token: string | null,
): Promise<OperationResponse> {
  return abortAfter(TIMEOUT_SECONDS * 1000, async (signal) => {
    const fail = (message: string) => () => {
      const late = `The server did not answer within ${TIMEOUT_SECONDS} seconds.`;
      throw new FailedRequestError(signal.aborted ? late : message);
    };
    const sent = { ...headersFor(token, ACCEPT), ...headers };
    const body = JSON.stringify(operation);
    const response = await fetch(url, { method: 'POST', headers: sent, body, signal }).catch(
      fail(UNREACHABLE),
    );
    const text = await response.text().catch(fail(CONNECTION_LOST));
    const challenge = response.headers.get('www-authenticate') ?? '';
    return {
      body: parseResult<ResponseBody>(response.status, text),
      missingScope: /\bscope="([^"]*)"/.exec(challenge)?.[1],
    };
  });
}

/** The headers of an operation as JSON, with the caller's token if there is one. */
export function headersFor(token: string | null, accept: string): Record<string, string> {
  const authorization = token === null ? undefined : { authorization: `Bearer ${token}` };
  return { accept, 'content-type': 'application/json', ...authorization };
}

/** What has not begun may be sent again, and so may what only reads. */
function mayRepeat({ query }: Operation, { data }: ResponseBody): boolean {
  return data === undefined || readsOnly(parse(query));
}

function readsOnly({ definitions }: DocumentNode): boolean {
  return definitions.every(
    (definition) => definition.kind !== Kind.OPERATION_DEFINITION || definition.operation === 'query',
  );
}
