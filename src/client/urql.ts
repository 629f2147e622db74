// The client's token on whatever urql sends. Package entry `bandha/urql`.
import {
  type Exchange,
  makeErrorResult,
  makeOperation,
  type Operation,
  type OperationResult,
} from '@urql/core';
import {
  empty,
  filter,
  fromPromise,
  fromValue,
  makeSubject,
  merge,
  mergeMap,
  pipe,
  type Source,
  takeUntil,
} from 'wonka';
import { findTokenError } from './token-errors.ts';
import type { AuthClient } from './types.ts';

/** An operation to send, or a result for whoever asked. */
type Step = Operation | OperationResult;

/** What became of an operation; in its context, since exchanges after this one may make it anew. */
interface Attempt {
  /** It was sent with. */
  token: string;
  /** Whether it is sent for the second time. */
  isRetry: boolean;
  /** Whether another one is sent in its place. */
  isReplaced: boolean;
}

const attemptOf = ({ context }: Operation): Attempt | undefined => context.bandha;

/**
 * An exchange to put before `fetchExchange`: sends the client's access token, and where the server answers that it has
 * expired, renews it and sends the operation once more. A mutation of which a part may have run is not sent again. Where
 * the token cannot be had, the result's `networkError` is the `AuthClientError` that says why; all else comes through as
 * it is.
 */
export function bandhaExchange(client: AuthClient): Exchange {
  return ({ forward }) =>
    (operations) => {
      const toSend = makeSubject<Operation>();
      const failed = makeSubject<OperationResult>();

      /** Goes on with the token once it is there, unless the operation is torn down before. */
      function withToken(
        operation: Operation,
        token: Promise<string | null>,
        use: (token: string | null) => Step,
      ): Source<Step> {
        const step = token.then(use).catch((error) => makeErrorResult(operation, error));
        const tornDown = filter(({ kind, key }: Operation) => kind === 'teardown' && key === operation.key);
        return pipe(fromPromise(step), takeUntil(pipe(operations, tornDown)));
      }

      function send(operation: Operation): Source<Step> {
        if (operation.kind === 'teardown') return fromValue(operation);
        return withToken(operation, client.accessToken(), (token) => authorize(operation, token, false));
      }

      function authorize(operation: Operation, token: string | null, isRetry: boolean): Operation {
        if (token === null) return operation;
        const { fetchOptions } = operation.context;
        const given = typeof fetchOptions === 'function' ? fetchOptions() : fetchOptions;
        const headers = new Headers(given?.headers);
        headers.set('authorization', `Bearer ${token}`);
        const attempt: Attempt = { token, isRetry, isReplaced: false };
        return makeOperation(operation.kind, operation, {
          ...operation.context,
          fetchOptions: { ...given, headers: Object.fromEntries(headers) },
          bandha: attempt,
        });
      }

      /** Passes a result on, unless another attempt comes instead. */
      function decideRetry(result: OperationResult): Source<Step> {
        const { operation, error, data } = result;
        const attempt = attemptOf(operation);
        if (attempt?.isReplaced) return empty as Source<Step>; // it has no values, so it has none of any type
        const token = attempt?.token;
        const tokenError = findTokenError(error?.graphQLErrors);
        if (tokenError === 'TOKEN_REVOKED' && token !== undefined) client.revoked(token);
        // A subscription that has begun may outlive several tokens.
        if (attempt && tokenError === undefined && operation.kind === 'subscription') attempt.isRetry = false;
        const mayHaveRun = operation.kind === 'mutation' && data !== undefined;
        if (tokenError !== 'TOKEN_EXPIRED' || attempt === undefined || attempt.isRetry || mayHaveRun) {
          return fromValue(result);
        }
        attempt.isReplaced = true;
        return withToken(operation, client.renew(attempt.token), (renewed) =>
          renewed === null ? { ...result, hasNext: false } : authorize(operation, renewed, true),
        );
      }

      const keepOperations = filter((step: Step): step is Operation => {
        if (isResult(step)) failed.next(step);
        return !isResult(step);
      });
      const keepResults = filter((step: Step): step is OperationResult => {
        if (!isResult(step)) toSend.next(step);
        return isResult(step);
      });
      const authorized = pipe(operations, mergeMap(send), keepOperations);
      const results = pipe(forward(merge([authorized, toSend.source])), mergeMap(decideRetry), keepResults);
      return merge([results, failed.source]);
    };
}

function isResult(step: Step): step is OperationResult {
  return 'operation' in step;
}
