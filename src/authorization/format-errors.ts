// Turns the refusals in a result into the errors that a caller receives, status and headers included.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { findAuthError, toGraphQLError, withoutStack } from '../errors.ts';

export interface AnswersOptions {
  /** Whether a denied field that leaves nothing to deliver sets the HTTP status; default true. Other refusals always do. */
  denialsSetStatus?: boolean;
}

/** A result, or a part of one that comes in parts. */
interface Answerable extends ExecutionResult {
  incremental?: readonly Answerable[];
  completed?: readonly Answerable[];
}

/** Answers every `AuthError` that a resolver threw as the README's table of errors says; leaves every other error to the server. */
export function useAnswers({ denialsSetStatus = true }: AnswersOptions = {}): Plugin {
  const answer = (result: Answerable, isWhole: boolean) => answerResult(result, isWhole, denialsSetStatus);
  return {
    onExecute: () => ({
      onExecuteDone: (payload) =>
        handleStreamOrSingleExecutionResult(payload, ({ result, setResult }) =>
          setResult(answer(result, result === payload.result)),
        ),
    }),
    onSubscribe: () => ({
      onSubscribeResult: ({ result, setResult }) => {
        if ('errors' in result) setResult(answer(result, true));
        return { onNext: (payload) => payload.setResult(answer(payload.result, false)) };
      },
    }),
  };
}

/** A result, or a part of one, with its refusals as the errors that a caller receives. */
export function answerResult(result: Answerable, isWhole: boolean, denialsSetStatus: boolean): Answerable {
  if (!result.errors && !result.incremental && !result.completed) return result;
  // An error that leaves other fields in place ends nothing, so it sets no status.
  const endsRequest = isWhole && (result.data === null || result.data === undefined);
  const answerPart = (part: Answerable) => answerResult(part, false, denialsSetStatus);
  return {
    ...result,
    ...(result.errors && {
      errors: result.errors.map((error) => answerError(error, endsRequest, denialsSetStatus)),
    }),
    // What comes later, by `@defer` and `@stream`.
    ...(result.incremental && { incremental: result.incremental.map(answerPart) }),
    ...(result.completed && { completed: result.completed.map(answerPart) }),
  };
}

function answerError(error: GraphQLError, endsRequest: boolean, denialsSetStatus: boolean): GraphQLError {
  const refusal = findAuthError(error);
  if (refusal === undefined) return error;
  const place = { nodes: error.nodes, path: error.path };
  // The guard's denials name their field.
  const setsStatus = endsRequest && (denialsSetStatus || refusal.details.coordinate === undefined);
  return withoutStack(() => toGraphQLError(refusal, place, setsStatus));
}
