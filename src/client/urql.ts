// urql exchange that sends the client's access token. Package entry `bandha/urql`.
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
import { decideRetry } from './retry.ts';
import type { AuthClient } from './types.ts';

/** An operation to send, or a result to deliver. */
type Outcome = Operation | OperationResult;

/** State of one attempt. It is in the operation's context, because later exchanges may copy the operation. */
interface Attempt {
  /** Sent with the operation. */
  token: string;
  /** Whether the operation may be sent again. */
  mayRetry: boolean;
  /** Whether another attempt was sent instead; late results of this one are dropped. */
  isReplaced: boolean;
}

const findAttempt = ({ context }: Operation): Attempt | undefined => context.bandha;

/**
 * Creates an exchange that adds the client's access token to each operation. If the server reports that the token has expired,
 * the exchange renews it and sends the operation again, once; a mutation that may have taken effect in part is not sent again.
 * If the token was revoked, the client signs out. Everything else passes through. Put it before `fetchExchange`.
 *
 * @throws AuthClientError as the result's `networkError` if the token cannot be refreshed; codes as for `AuthClient.accessToken`
 * @example
 * new Client({ url: auth.url, exchanges: [cacheExchange, bandhaExchange(auth), fetchExchange], preferGetMethod: false });
 */
export function bandhaExchange(client: AuthClient): Exchange {
  return ({ forward }) =>
    (operations) => {
      const toSend = makeSubject<Operation>();
      const failed = makeSubject<OperationResult>();

      /** Continues when the token has arrived, unless the operation is torn down first. */
      function withToken(
        operation: Operation,
        token: Promise<string | null>,
        use: (token: string | null) => Outcome,
      ): Source<Outcome> {
        const outcome = token.then(use).catch((error) => makeErrorResult(operation, error));
        const tornDown = filter(({ kind, key }: Operation) => kind === 'teardown' && key === operation.key);
        return pipe(fromPromise(outcome), takeUntil(pipe(operations, tornDown)));
      }

      function send(operation: Operation): Source<Outcome> {
        if (operation.kind === 'teardown') return fromValue(operation);
        return withToken(operation, client.accessToken(), (token) => authorize(operation, token, true));
      }

      function authorize(operation: Operation, token: string | null, mayRetry: boolean): Operation {
        if (token === null) return operation;
        const { fetchOptions } = operation.context;
        const options = typeof fetchOptions === 'function' ? fetchOptions() : fetchOptions;
        const headers = new Headers(options?.headers);
        headers.set('authorization', `Bearer ${token}`);
        const attempt: Attempt = { token, mayRetry, isReplaced: false };
        return makeOperation(operation.kind, operation, {
          ...operation.context,
          fetchOptions: { ...options, headers: Object.fromEntries(headers) },
          bandha: attempt,
        });
      }

      /** Delivers a result, or replaces its attempt. */
      function handle(result: OperationResult): Source<Outcome> {
        const { operation, error, data } = result;
        const attempt = findAttempt(operation);
        if (!attempt) return fromValue(result);
        if (attempt.isReplaced) return empty as Source<Outcome>; // without values, so the type of its values does not matter
        const { token, mayRetry } = attempt;
        const errors = error?.graphQLErrors;
        const decision = decideRetry({ errors, data, operationType: operation.kind, token, mayRetry });
        attempt.mayRetry = decision.mayRetry;
        if (decision.action === 'sign-out') client.revoked(token);
        if (decision.action !== 'renew') return fromValue(result);
        attempt.isReplaced = true;
        return withToken(operation, client.renew(token), (renewed) =>
          renewed === null ? { ...result, hasNext: false } : authorize(operation, renewed, false),
        );
      }

      const divertResults = filter((outcome: Outcome): outcome is Operation => {
        if (isResult(outcome)) failed.next(outcome);
        return !isResult(outcome);
      });
      const divertOperations = filter((outcome: Outcome): outcome is OperationResult => {
        if (!isResult(outcome)) toSend.next(outcome);
        return isResult(outcome);
      });
      const authorized = pipe(operations, mergeMap(send), divertResults);
      const results = pipe(forward(merge([authorized, toSend.source])), mergeMap(handle), divertOperations);
      return merge([results, failed.source]);
    };
}

function isResult(outcome: Outcome): outcome is OperationResult {
  return 'operation' in outcome;
}
