// A user who runs operations.
import type { GraphQLSchema } from 'graphql';
import type { Authentication } from '../tokens/authenticate.ts';
import type { Principal } from '../tokens/principal.ts';
import type { RunRequest } from './create-runner.ts';
import {
  type Anything,
  createDocumentPrinter,
  type ExecuteArguments,
  type TestDocument,
} from './documents.ts';
import { type TestResult, withSchema } from './result.ts';

/** An open subscription: iterate over its events. If it was denied, `denials` are set and iterating rejects. */
export interface TestSubscription<Data = Anything>
  extends TestResult<undefined>,
    AsyncIterableIterator<TestResult<Data>> {}

/** A caller of the schema under test. */
export interface TestUser {
  /** Null for an anonymous caller, and if the token is rejected, for example because it has expired. */
  readonly principal: Principal | null;
  /**
   * Runs one operation as the server would. Variables are converted to JSON and back.
   *
   * @throws ConfigError if one of Bandha's own fields needs a store; TypeError for a subscription or an incremental response
   * @example const { data } = await kit.as({ roles: ['admin'] }).execute('{ payroll }')
   */
  execute<Data = Anything, Variables = Record<string, Anything>>(
    document: TestDocument<Data, Variables>,
    ...rest: ExecuteArguments<Variables>
  ): Promise<TestResult<Data>>;
  /**
   * Opens a subscription, or runs an operation with an incremental response (`@defer`, `@stream`).
   *
   * @throws ConfigError if one of Bandha's own fields needs a store
   * @example for await (const { data } of await kit.as().subscribe('subscription { ticks }')) expect(data.ticks).toBe(1)
   */
  subscribe<Data = Anything, Variables = Record<string, Anything>>(
    document: TestDocument<Data, Variables>,
    ...rest: ExecuteArguments<Variables>
  ): Promise<TestSubscription<Data>>;
}

/** @param schema that `runRequest` executes on */
export function createUserFactory(runRequest: RunRequest, schema: GraphQLSchema) {
  const printDocument = createDocumentPrinter();
  const run = (
    caller: Authentication,
    document: TestDocument<Anything, Anything>,
    rest: readonly unknown[],
  ) => {
    const [variables, operationName] = rest as ExecuteArguments<Record<string, unknown>>; // the document's types are erased here
    const json = variables && JSON.parse(JSON.stringify(variables));
    return runRequest({ query: printDocument(document), variables: json, operationName }, caller);
  };

  /** @param authenticate called at each operation, because a token may have expired since the last one */
  return (authenticate: () => Authentication): TestUser => ({
    get principal() {
      return authenticate().principal;
    },
    async execute(document, ...rest) {
      const response = await run(authenticate(), document, rest);
      if (!(Symbol.asyncIterator in response)) return response;
      await response.return?.();
      throw new TypeError('execute: the operation has several results; use subscribe');
    },
    async subscribe(document, ...rest) {
      const response = await run(authenticate(), document, rest);
      return Symbol.asyncIterator in response
        ? openSubscription(response, schema)
        : rejectedSubscription(response);
    },
  });
}

function openSubscription(
  events: AsyncIterableIterator<TestResult>,
  schema: GraphQLSchema,
): TestSubscription {
  const emptyResult = {
    ...{ data: undefined, errors: undefined, code: undefined, reason: undefined, coordinate: undefined },
    ...{ status: 200, headers: new Headers(), body: withSchema({}, schema), denials: [], unexpected: [] },
  };
  return { ...emptyResult, ...events };
}

function rejectedSubscription(response: TestResult): TestSubscription {
  const messages = response.errors?.map(({ message }) => message).join('\n');
  return {
    ...response,
    next: () => Promise.reject(new Error(`The subscription was rejected: ${messages}`)),
    return: async () => ({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
