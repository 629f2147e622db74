// The server's own way from an operation's text to its answer, without HTTP and without a token.
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga, isAsyncIterable, maskError } from 'graphql-yoga';
import type { Guard } from '../authorization/guard.ts';
import { createGuardPlugin } from '../authorization/use-guard.ts';
import { useAuthentication } from '../context.ts';
import { createLimitCheck, type ResolvedLimits } from '../http/limits/operation-limits.ts';
import { createValidate } from '../http/limits/validate-operation.ts';
import { useBlockSuggestions } from '../http/plugins/use-block-suggestions.ts';
import { useInputErrors } from '../http/plugins/use-input-errors.ts';
import { useLimits } from '../http/plugins/use-limits.ts';
import type { Authentication } from '../tokens/authenticate.ts';
import { type TestResult, toTestResult } from './result.ts';
import { StoreNeededError } from './stub-accounts.ts';

/** One operation, as a client sends it. */
export interface TestRequest {
  query: string;
  variables: Record<string, unknown> | undefined;
  operationName: string | undefined;
}

export interface RunnerOptions {
  guard: Guard;
  limits: ResolvedLimits;
  /** What the app's resolvers find in their context. */
  contextOf(caller: Authentication): object | Promise<object>;
}

/** The answer, or the answers that come one after the other. */
export type RunRequest = (
  request: TestRequest,
  caller: Authentication,
) => Promise<TestResult | AsyncIterableIterator<TestResult>>;

const URL = 'http://test.invalid/graphql';

/** @param schema with its wall */
export function createRunner(schema: GraphQLSchema, { guard, limits, contextOf }: RunnerOptions): RunRequest {
  const callers = new WeakMap<object, Authentication>();
  /** What was masked, by the error that stands in its place. */
  const originals = new WeakMap<object, unknown>();
  const yoga = createYoga<{ request: Request }>({
    schema,
    plugins: [
      useLimits(limits, createLimitCheck(limits)),
      useInputErrors(),
      useAuthentication((headers) => {
        const caller = callers.get(headers);
        if (caller === undefined) throw new Error('A request of the test kit has lost its caller');
        return caller;
      }),
      createGuardPlugin(guard),
      useBlockSuggestions({ introspection: true, validate: createValidate(limits.maxComparedFields) }),
    ],
    graphiql: false,
    logging: false,
    maskedErrors: {
      isDev: false,
      maskError(error, message) {
        const masked = maskError(error, message, false);
        if (masked !== error) originals.set(masked, innermost(error));
        return masked;
      },
    },
  });

  async function toResult(result: ExecutionResult): Promise<TestResult> {
    const results = await toTestResult(result, {
      schema,
      fetchAPI: yoga.fetchAPI,
      originalOf: (error) => originals.get(error),
    });
    const misuse = results.unexpected.find((error) => error instanceof StoreNeededError);
    if (misuse !== undefined) throw misuse;
    return results;
  }

  return async ({ query, variables, operationName }, caller) => {
    const request = new Request(URL, { method: 'POST' });
    callers.set(request.headers, caller);
    const params = { query, variables, operationName };
    const context = { ...(await contextOf(caller)), request };
    const result = await yoga.getResultForParams({ params, request }, context);
    if (result === undefined) throw new Error('Yoga has not answered');
    return isAsyncIterable(result) ? toResults(result, toResult) : toResult(result);
  };
}

/** The error that a resolver threw. */
function innermost(error: unknown): unknown {
  if (!(error instanceof Error) || !('originalError' in error)) return error;
  return error.originalError === undefined ? error : innermost(error.originalError);
}

function toResults(
  results: AsyncIterable<ExecutionResult>,
  toResult: (result: ExecutionResult) => Promise<TestResult>,
): AsyncIterableIterator<TestResult> {
  const iterator = results[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? { done, value: undefined } : { done: false, value: await toResult(value) };
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
