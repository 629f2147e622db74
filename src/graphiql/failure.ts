// Why an operation has no GraphQL result, in one sentence for the user.
import { AuthClientError } from '../client/index.ts';

/** A request without a GraphQL result; the message can be shown as it is. */
export class FailedRequestError extends Error {}

export const UNREACHABLE = 'The server cannot be reached.';
export const CONNECTION_LOST = 'The connection to the server was lost.';

/** @param error whatever a request or the client has thrown */
export function describeFailure(error: unknown): string {
  if (error instanceof FailedRequestError) return error.message;
  if (error instanceof AuthClientError) {
    return error.code === 'NETWORK_ERROR' ? UNREACHABLE : error.message;
  }
  return 'The request failed.';
}

/**
 * Reads a response that must be a GraphQL result.
 * @throws FailedRequestError if it is something else, such as a proxy's page
 */
export function parseResult<T extends object>(status: number, text: string): T {
  try {
    const result: unknown = JSON.parse(text);
    if (typeof result === 'object' && result !== null && ('data' in result || 'errors' in result)) {
      return result as T; // as the GraphQL specification has it
    }
  } catch {} // reported as any other text
  throw new FailedRequestError(`The server answered with status ${status} and no GraphQL result.`);
}
