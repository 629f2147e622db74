// One operation to the server, with the caller's token, and once more where the token had expired.
import { type DocumentNode, Kind, parse } from 'graphql';
import type { AuthClient } from '../clients/client.ts';
import { findTokenRefusal, type TokenRefusal } from '../clients/token-refusal.ts';

export interface Operation {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

export interface AnswerError {
  message: string;
  extensions?: { code?: string; reason?: string; coordinate?: string };
}

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: AnswerError[];
}

/** An operation's answer, and what its headers say of the scopes that are missing (RFC 6750, section 3). */
export interface Sent {
  answer: Answer;
  missingScope: string | undefined;
}

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/**
 * Sends an operation that has one answer. Headers given go before the caller's token.
 * @throws TypeError where the server cannot be reached, SyntaxError where it answers with something else than JSON
 */
export async function sendOperation(
  client: AuthClient,
  operation: Operation,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const token = namesCaller(headers) ? null : await client.accessToken();
  const sent = await post(client.url, operation, headers, token);
  if (token === null) return sent;
  if (judge(client, token, sent.answer) !== 'TOKEN_EXPIRED' || !mayRepeat(operation, sent.answer))
    return sent;
  const renewed = await client.renew(token);
  if (renewed === null) return sent;
  const again = await post(client.url, operation, headers, renewed);
  judge(client, renewed, again.answer);
  return again;
}

/** Why the token was not accepted; the client is told where its session has ended. */
export function judge(client: AuthClient, token: string, { errors }: Answer): TokenRefusal | undefined {
  const refusal = findTokenRefusal(errors);
  if (refusal === 'TOKEN_REVOKED') client.revoked(token);
  return refusal;
}

/** Whether headers of the user's own say who is asking. */
export function namesCaller(headers: Record<string, unknown>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

async function post(
  url: string,
  operation: Operation,
  headers: Record<string, string>,
  token: string | null,
): Promise<Sent> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: ACCEPT,
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(operation),
  });
  const challenge = response.headers.get('www-authenticate') ?? '';
  return { answer: await response.json(), missingScope: /\bscope="([^"]*)"/.exec(challenge)?.[1] };
}

/** What has not begun may be sent again, and so may what only reads. */
function mayRepeat({ query }: Operation, { data }: Answer): boolean {
  return data === undefined || readsOnly(parse(query));
}

function readsOnly({ definitions }: DocumentNode): boolean {
  return definitions.every(
    (definition) => definition.kind !== Kind.OPERATION_DEFINITION || definition.operation === 'query',
  );
}
