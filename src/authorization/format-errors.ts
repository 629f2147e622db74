// Formats each `AuthError` in a result for the client, with its HTTP status and headers.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { findAuthError, toGraphQLError, withoutStack } from '../errors.ts';

export interface AuthErrorsOptions {
  /** Whether a denied field sets the HTTP status if the response has no data. Every other `AuthError` does. @default true */
  denialsSetStatus?: boolean;
}

/** A result, or a part of an incremental one. */
interface PartialResult extends ExecutionResult {
  incremental?: readonly PartialResult[];
  completed?: readonly PartialResult[];
}

/** Formats every `AuthError` that a resolver threw. All other errors are left to the server, which masks them. */
export function useAuthErrors({ denialsSetStatus = true }: AuthErrorsOptions = {}): Plugin {
  const formatted = (result: PartialResult, isWhole: boolean) =>
    formatResult(result, isWhole, denialsSetStatus);
  return {
    onExecute: () => ({
      onExecuteDone: (payload) =>
        handleStreamOrSingleExecutionResult(payload, ({ result, setResult }) =>
          setResult(formatted(result, result === payload.result)),
        ),
    }),
    onSubscribe: () => ({
      onSubscribeResult: ({ result, setResult }) => {
        if ('errors' in result) setResult(formatted(result, true));
        return { onNext: (payload) => payload.setResult(formatted(payload.result, false)) };
      },
    }),
  };
}

/**
 * Formats the errors of a result.
 *
 * @param isWhole whether the result is the whole response, rather than a part of it or an event
 */
export function formatResult(
  result: PartialResult,
  isWhole: boolean,
  denialsSetStatus: boolean,
): PartialResult {
  if (!result.errors && !result.incremental && !result.completed) return result;
  // An error beside other data does not end the request, so it sets no status.
  const endsRequest = isWhole && (result.data === null || result.data === undefined);
  const formatPart = (part: PartialResult) => formatResult(part, false, denialsSetStatus);
  return {
    ...result,
    ...(result.errors && {
      errors: result.errors.map((error) => formatError(error, endsRequest, denialsSetStatus)),
    }),
    // Parts that `@defer` and `@stream` deliver later.
    ...(result.incremental && { incremental: result.incremental.map(formatPart) }),
    ...(result.completed && { completed: result.completed.map(formatPart) }),
  };
}

function formatError(error: GraphQLError, endsRequest: boolean, denialsSetStatus: boolean): GraphQLError {
  const authError = findAuthError(error);
  if (authError === undefined) return error;
  const location = { nodes: error.nodes, path: error.path };
  // Only a denial by the guard has a coordinate.
  const isDenial = authError.details.coordinate !== undefined;
  return withoutStack(() =>
    toGraphQLError(authError, location, endsRequest && (denialsSetStatus || !isDenial)),
  );
}
