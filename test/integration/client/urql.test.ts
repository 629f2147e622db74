// A real urql client against a running server: the exchange, typed documents, and errors as an app sees them.
import {
  type AnyVariables,
  Client,
  CombinedError,
  type Exchange,
  fetchExchange,
  makeOperation,
  mapExchange,
  type Operation,
  type OperationContext,
  type OperationResult,
} from '@urql/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  LoginDocument,
  LogoutDocument,
  RegisterDocument,
  SecureDataDocument,
} from '../../../src/client/documents.generated.ts';
import { type AuthClient, createAuthClient } from '../../../src/client/index.ts';
import { bandhaExchange } from '../../../src/client/urql.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { type App, type AppOptions, describeLink, type Outcome } from './link-contract.ts';
import { ADA } from './tab.ts';

function createUrql(
  { url, client, fetch }: AppOptions,
  context: Partial<OperationContext> = {},
  between: readonly Exchange[] = [],
): Client {
  return new Client({
    url,
    exchanges: [bandhaExchange(client), ...between, fetchExchange],
    fetch,
    fetchSubscriptions: true,
    requestPolicy: 'network-only',
    preferGetMethod: false,
    ...context,
  });
}

function toOutcome({ data, error }: OperationResult<unknown, AnyVariables>): Outcome {
  if (error?.networkError) return { reasons: [], networkError: error.networkError };
  const reasons = error?.graphQLErrors.map(({ extensions }) => extensions.reason ?? extensions.code) ?? [];
  return { data, reasons };
}

const createApp =
  (context?: Partial<OperationContext>, between?: readonly Exchange[]) =>
  (options: AppOptions): App => {
    const urql = createUrql(options, context, between);
    return {
      async run(document) {
        if (document.startsWith('mutation')) return toOutcome(await urql.mutation(document, {}).toPromise());
        return toOutcome(await urql.query(document, {}).toPromise());
      },
      watch(document, next) {
        const source = document.startsWith('subscription')
          ? urql.subscription(document, {})
          : urql.query(document, {});
        const { unsubscribe } = source.subscribe((result) => next(toOutcome(result)));
        return { stop: unsubscribe };
      },
      close: () => {},
    };
  };

describe('bandhaExchange', () => {
  describeLink(createApp());
});

describe('bandhaExchange with GET and headers of the app’s own', () => {
  describeLink(
    createApp({ preferGetMethod: true, fetchOptions: () => ({ headers: new Headers({ 'x-app': 'ours' }) }) }),
  );
});

describe('bandhaExchange before an exchange that copies each operation', () => {
  const copy = (operation: Operation) => makeOperation(operation.kind, operation, { ...operation.context });
  describeLink(createApp({}, [mapExchange({ onOperation: copy })]));
});

describe('urql', () => {
  let server: TestServer;
  let auth: AuthClient;
  let url: string;
  let client: Client;
  let appHeaders: (string | null)[];
  beforeEach(async () => {
    server = await startTestServer();
    url = `${server.url}/graphql`;
    auth = createAuthClient({ url });
    appHeaders = [];
    client = createUrql(
      {
        url,
        client: auth,
        fetch: (input, init) => {
          appHeaders.push(new Headers(init?.headers).get('x-app'));
          return fetch(input, init);
        },
      },
      { fetchOptions: { headers: [['x-app', 'ours']] } },
    );
  });
  afterEach(() => server.close());

  const readSecure = (from = client) => from.query(SecureDataDocument, {}).toPromise();

  function getData<T>({ data, error }: OperationResult<T, AnyVariables>): T {
    if (data === undefined) throw new Error(`Expected data, got: ${error}`);
    return data;
  }

  /** Status and extensions of the single GraphQL error of a result. */
  function findError({ data, error }: OperationResult<unknown, AnyVariables>) {
    expect(data ?? undefined).toBeUndefined();
    expect(error).toBeInstanceOf(CombinedError);
    expect(error?.networkError).toBeUndefined();
    expect(error?.graphQLErrors).toHaveLength(1);
    return { status: error?.response?.status, ...error?.graphQLErrors[0]?.extensions };
  }

  it('urql runs Bandha’s own operations with typed documents and the app’s headers', async () => {
    const { register } = getData(await client.mutation(RegisterDocument, ADA).toPromise());
    expect(register.user.email).toBe(ADA.email);
    await auth.login(ADA);
    const message: string | undefined = getData(await readSecure()).secureData?.message;
    expect(message).toBe('Secure data access granted');
    const { refreshToken } = register;
    expect(getData(await client.mutation(LogoutDocument, { refreshToken }).toPromise()).logout).toBe(true);
    expect(appHeaders).toEqual(['ours', 'ours', 'ours']);
  });

  it.each([
    ['POST', false],
    ['GET', true],
  ])('urql receives code and reason of a response with status 401 to a %s', async (_, preferGetMethod) => {
    const urql = createUrql({ url, client: auth, fetch }, { preferGetMethod });
    expect(findError(await readSecure(urql))).toEqual({
      status: 401,
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_TOKEN',
      coordinate: 'Query.secureData',
    });
  });

  it('urql receives the challenge of a response with status 401', async () => {
    const { error } = await readSecure();
    expect(error?.response.headers.get('www-authenticate')).toBe('Bearer realm="bandha"');
  });

  it('urql receives the code of a rejected login with status 200', async () => {
    const wrong = { ...ADA, password: 'not this one at all' };
    expect(findError(await client.mutation(LoginDocument, wrong).toPromise())).toEqual({
      status: 200,
      code: 'INVALID_CREDENTIALS',
    });
  });
});
