// Turns the refusals in a result into the errors that a caller receives, status and headers included.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { findAuthError, toGraphQLError } from './errors.ts';

export interface AnswersOptions {
  /** Whether a refusal that leaves nothing to deliver sets the HTTP status; default true. */
  setsStatus?: boolean;
}

/** Answers every `AuthError` that a resolver threw as DESIGN 4.3 says; leaves every other error to the server. */
export function useAnswers({ setsStatus = true }: AnswersOptions = {}): Plugin {
  const answer = (result: ExecutionResult, isWhole: boolean): ExecutionResult => {
    if (!result.errors?.some(findAuthError)) return result;
    // An error that leaves other fields in place ends nothing, so it sets no status.
    const endsRequest = setsStatus && isWhole && (result.data === null || result.data === undefined);
    return { ...result, errors: result.errors.map((error) => answerError(error, endsRequest)) };
  };
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

function answerError(error: GraphQLError, endsRequest: boolean): GraphQLError {
  const refusal = findAuthError(error);
  if (refusal === undefined) return error;
  return toGraphQLError(refusal, { nodes: error.nodes, path: error.path }, endsRequest);
}
