// Runs an operation through the server's own plugins, without HTTP and without a token.
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
  /** Creates the context of the app's resolvers. */
  createContext(caller: Authentication): object | Promise<object>;
}

/** Returns one result, or several in sequence for a subscription or an incremental response. */
export type RunRequest = (
  request: TestRequest,
  caller: Authentication,
) => Promise<TestResult | AsyncIterableIterator<TestResult>>;

const URL = 'http://test.invalid/graphql';

/** @param schema with access checks in its resolvers */
export function createRunner(
  schema: GraphQLSchema,
  { guard, limits, createContext }: RunnerOptions,
): RunRequest {
  const callers = new WeakMap<object, Authentication>();
  /** Original errors by the masked errors that replace them. */
  const originals = new WeakMap<object, unknown>();
  const yoga = createYoga<{ request: Request }>({
    schema,
    plugins: [
      useLimits(limits, createLimitCheck(limits)),
      useInputErrors(),
      useAuthentication((headers) => {
        const caller = callers.get(headers);
        if (caller === undefined) throw new Error('The test kit has lost the caller of a request');
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
        if (masked !== error) originals.set(masked, unwrapError(error));
        return masked;
      },
    },
  });

  async function toResult(result: ExecutionResult): Promise<TestResult> {
    const testResult = await toTestResult(result, {
      schema,
      fetchAPI: yoga.fetchAPI,
      findOriginal: (error) => originals.get(error),
    });
    const misuse = testResult.unexpected.find((error) => error instanceof StoreNeededError);
    if (misuse !== undefined) throw misuse;
    return testResult;
  }

  return async ({ query, variables, operationName }, caller) => {
    const request = new Request(URL, { method: 'POST' });
    callers.set(request.headers, caller);
    const params = { query, variables, operationName };
    const context = { ...(await createContext(caller)), request };
    const result = await yoga.getResultForParams({ params, request }, context);
    if (result === undefined) throw new Error('Yoga returned no result');
    return isAsyncIterable(result) ? toResults(result, toResult) : toResult(result);
  };
}

/** Finds the error that a resolver threw. */
function unwrapError(error: unknown): unknown {
  if (!(error instanceof Error) || !('originalError' in error)) return error;
  return error.originalError === undefined ? error : unwrapError(error.originalError);
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
