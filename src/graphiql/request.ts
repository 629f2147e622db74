// The page's own operations: their data, or an error whose message can be shown.
import type { AuthClient } from '../client/index.ts';
import { sendOperation } from './send-operation.ts';

/** @throws Error if the response has errors, or if there is none */
export async function request<T>(
  client: AuthClient,
  query: string,
  variables?: Record<string, unknown>,
): Promise<T> {
  const { body: answer } = await sendOperation(client, { query, variables });
  const [error] = answer.errors ?? [];
  if (error !== undefined) throw new Error(error.message);
  return answer.data as T; // the caller knows the query
}
