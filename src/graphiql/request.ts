// Sends the page's own operations.
import type { AuthClient } from '../client/index.ts';
import { sendOperation } from './send-operation.ts';

/**
 * Sends an operation and returns its data.
 * @throws Error if the response has errors or none arrives
 */
export async function request<T>(
  client: AuthClient,
  query: string,
  variables?: Record<string, unknown>,
): Promise<T> {
  const { body } = await sendOperation(client, { query, variables });
  const [error] = body.errors ?? [];
  if (error !== undefined) throw new Error(error.message);
  return body.data as T; // the caller's type describes its query
}
