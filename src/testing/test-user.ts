// Somebody who executes operations.
import type { GraphQLSchema } from 'graphql';
import type { Authentication } from '../tokens/authenticate.ts';
import type { Principal } from '../tokens/principal.ts';
import type { RunRequest } from './create-runner.ts';
import { type Anything, createTexts, type ExecuteRest, type TestDocument } from './documents.ts';
import { type TestResult, withSchema } from './result.ts';

/** A subscription that was opened, or the refusal: then taking the next event rejects. */
export interface TestSubscription<Data = Anything>
  extends TestResult<undefined>,
    AsyncIterableIterator<TestResult<Data>> {}

/** Somebody who asks. */
export interface TestUser {
  /** Null for an anonymous caller, and for one whose token is not accepted. */
  readonly principal: Principal | null;
  /**
   * Runs one operation as the server would. Variables are what JSON makes of them.
   * @throws ConfigError where a field of Bandha's own needs a store; TypeError where the answer comes in parts
   */
  execute<Data = Anything, Variables = Record<string, Anything>>(
    document: TestDocument<Data, Variables>,
    ...rest: ExecuteRest<Variables>
  ): Promise<TestResult<Data>>;
  /** Opens a subscription, or runs an operation whose answer comes in parts. */
  subscribe<Data = Anything, Variables = Record<string, Anything>>(
    document: TestDocument<Data, Variables>,
    ...rest: ExecuteRest<Variables>
  ): Promise<TestSubscription<Data>>;
}

/** @param schema that `runRequest` queries */
export function createUserFactory(runRequest: RunRequest, schema: GraphQLSchema) {
  const textOf = createTexts();
  const run = (
    caller: Authentication,
    document: TestDocument<Anything, Anything>,
    rest: readonly unknown[],
  ) => {
    const [variables, operationName] = rest as ExecuteRest<Record<string, unknown>>; // whatever they are called
    const json = variables && JSON.parse(JSON.stringify(variables));
    return runRequest({ query: textOf(document), variables: json, operationName }, caller);
  };

  /** @param authenticate who asks, at the time of asking */
  return (authenticate: () => Authentication): TestUser => ({
    get principal() {
      return authenticate().principal;
    },
    async execute(document, ...rest) {
      const response = await run(authenticate(), document, rest);
      if (!(Symbol.asyncIterator in response)) return response;
      await response.return?.();
      throw new TypeError('The answer comes in parts: use subscribe');
    },
    async subscribe(document, ...rest) {
      const response = await run(authenticate(), document, rest);
      return Symbol.asyncIterator in response ? opened(response, schema) : rejectedSubscription(response);
    },
  });
}

function opened(events: AsyncIterableIterator<TestResult>, schema: GraphQLSchema): TestSubscription {
  const nothingYet = {
    ...{ data: undefined, errors: undefined, code: undefined, reason: undefined, coordinate: undefined },
    ...{ status: 200, headers: new Headers(), body: withSchema({}, schema), denials: [], unexpected: [] },
  };
  return { ...nothingYet, ...events };
}

function rejectedSubscription(response: TestResult): TestSubscription {
  const messages = response.errors?.map(({ message }) => message).join('\n');
  return {
    ...response,
    next: () => Promise.reject(new Error(`The subscription was not opened: ${messages}`)),
    return: async () => ({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
