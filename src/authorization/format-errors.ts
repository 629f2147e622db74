// Turns the refusals in a result into the errors that a caller receives, status and headers included.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { findAuthError, toGraphQLError, withoutStack } from '../errors.ts';

export interface AuthErrorsOptions {
  /** Whether a denied field that leaves nothing to deliver sets the HTTP status; default true. Other refusals always do. */
  denialsSetStatus?: boolean;
}

/** A result, or a part of one that comes in parts. */
interface PartialResult extends ExecutionResult {
  incremental?: readonly PartialResult[];
  completed?: readonly PartialResult[];
}

/** Answers every `AuthError` that a resolver threw as the README's table of errors says; leaves every other error to the server. */
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

/** A result, or a part of one, with its refusals as the errors that a caller receives. */
export function formatResult(
  result: PartialResult,
  isWhole: boolean,
  denialsSetStatus: boolean,
): PartialResult {
  if (!result.errors && !result.incremental && !result.completed) return result;
  // An error that leaves other fields in place ends nothing, so it sets no status.
  const endsRequest = isWhole && (result.data === null || result.data === undefined);
  const formatPart = (part: PartialResult) => formatResult(part, false, denialsSetStatus);
  return {
    ...result,
    ...(result.errors && {
      errors: result.errors.map((error) => formatError(error, endsRequest, denialsSetStatus)),
    }),
    // What comes later, by `@defer` and `@stream`.
    ...(result.incremental && { incremental: result.incremental.map(formatPart) }),
    ...(result.completed && { completed: result.completed.map(formatPart) }),
  };
}

function formatError(error: GraphQLError, endsRequest: boolean, denialsSetStatus: boolean): GraphQLError {
  const refusal = findAuthError(error);
  if (refusal === undefined) return error;
  const place = { nodes: error.nodes, path: error.path };
  // The guard's denials name their field.
  const setsStatus = endsRequest && (denialsSetStatus || refusal.details.coordinate === undefined);
  return withoutStack(() => toGraphQLError(refusal, place, setsStatus));
}
