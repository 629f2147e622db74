// Errors of operations without a GraphQL result, described for the user.
import { AuthClientError } from '../client/index.ts';

/** A request without a GraphQL result. The message is for the user. */
export class FailedRequestError extends Error {}

export const UNREACHABLE = 'The server cannot be reached.';
export const CONNECTION_LOST = 'The connection to the server was lost.';

/**
 * Describes a failure in one sentence.
 * @param error thrown by a request or the client
 */
export function describeFailure(error: unknown): string {
  if (error instanceof FailedRequestError) return error.message;
  if (error instanceof AuthClientError) {
    return error.code === 'NETWORK_ERROR' ? UNREACHABLE : error.message;
  }
  return 'The request failed.';
}

/**
 * Parses a response that must be a GraphQL result.
 * @throws FailedRequestError if it is something else, such as the error page of a proxy
 */
export function parseResult<T extends object>(status: number, text: string): T {
  try {
    const result: unknown = JSON.parse(text);
    if (typeof result === 'object' && result !== null && ('data' in result || 'errors' in result)) {
      return result as T; // the shape that the GraphQL specification requires
    }
  } catch {} // reported like any other text
  throw new FailedRequestError(`The response with status ${status} is not a GraphQL result.`);
}
