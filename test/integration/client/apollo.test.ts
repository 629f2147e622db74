// A real Apollo Client against a running server: the link, typed documents, and errors as an app sees them.
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
  Observable,
  ServerError,
} from '@apollo/client';
import { print } from 'graphql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthLink } from '../../../src/client/apollo.ts';
import {
  LoginDocument,
  LogoutDocument,
  RegisterDocument,
  SecureDataDocument,
} from '../../../src/client/documents.generated.ts';
import { type AuthClient, createAuthClient } from '../../../src/client/index.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { type App, type AppOptions, describeLink, type Outcome } from './link-contract.ts';
import { ADA } from './tab.ts';

function createApollo(client: AuthClient, http: ApolloLink): ApolloClient {
  return new ApolloClient({
    link: ApolloLink.from([createAuthLink(client), http]),
    cache: new InMemoryCache(),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
}

/** Reads subscriptions over server-sent events, which HttpLink does not support (GraphQL over SSE, distinct connections mode). */
function createEventStreamLink({ url, fetch }: AppOptions): ApolloLink {
  return new ApolloLink(
    (operation) =>
      new Observable((observer) => {
        const controller = new AbortController();
        const read = async () => {
          const response = await fetch(url, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              accept: 'text/event-stream',
              ...operation.getContext().headers,
            },
            body: JSON.stringify({ query: print(operation.query), variables: operation.variables }),
            signal: controller.signal,
          });
          let text = '';
          for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
            text += chunk;
            const events = text.split('\n\n');
            text = events.pop() ?? '';
            for (const event of events) {
              const [, data] = /^data: (.+)$/m.exec(event) ?? [];
              if (/^event: next$/m.test(event) && data) observer.next(JSON.parse(data));
            }
          }
          observer.complete();
        };
        read().catch((error) => observer.error(error));
        return () => controller.abort();
      }),
  );
}

function toOutcome(data: unknown, error: unknown): Outcome {
  if (error === undefined) return { data, reasons: [] };
  if (CombinedGraphQLErrors.is(error)) {
    return { data, reasons: error.errors.map(({ extensions }) => extensions?.reason ?? extensions?.code) };
  }
  // For some HTTP statuses Apollo throws, with the response as bodyText.
  const { bodyText } = error as { bodyText?: string };
  if (bodyText === undefined) return { reasons: [], networkError: error };
  const errors: { extensions: { reason: string } }[] = JSON.parse(bodyText).errors;
  return { reasons: errors.map(({ extensions }) => extensions.reason) };
}

const createApp =
  (headers?: Record<string, string>) =>
  (options: AppOptions): App => {
    const { url, client, fetch } = options;
    const http = ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      createEventStreamLink(options),
      new HttpLink({ uri: url, fetch, ...(headers && { headers }) }),
    );
    const apollo = createApollo(client, http);
    return {
      async run(document) {
        const definition = gql(document);
        const operation = document.startsWith('mutation')
          ? apollo.mutate({ mutation: definition, errorPolicy: 'all' })
          : apollo.query({ query: definition, errorPolicy: 'all', context: { queryDeduplication: false } });
        return operation.then(
          ({ data, error }) => toOutcome(data, error),
          (error: unknown) => toOutcome(undefined, error),
        );
      },
      watch(document, next) {
        const query = gql(document);
        const error = (thrown: unknown) => next(toOutcome(undefined, thrown));
        const subscription = document.startsWith('subscription')
          ? apollo
              .subscribe({ query, errorPolicy: 'all' })
              .subscribe({ next: (result) => next(toOutcome(result.data, result.error)), error })
          : apollo.watchQuery({ query, errorPolicy: 'all', notifyOnNetworkStatusChange: false }).subscribe({
              next: (result) => next(toOutcome(result.data, result.error)),
              error,
            });
        return { stop: () => subscription.unsubscribe() };
      },
      close: () => apollo.stop(),
    };
  };

describe('createAuthLink', () => {
  describeLink(createApp());
});

describe('createAuthLink with an HttpLink that throws for status 401', () => {
  describeLink(createApp({ accept: 'application/json' }));
});

describe('Apollo Client', () => {
  let server: TestServer;
  let auth: AuthClient;
  let client: ApolloClient;
  beforeEach(async () => {
    server = await startTestServer();
    const url = `${server.url}/graphql`;
    auth = createAuthClient({ url });
    client = createApollo(auth, new HttpLink({ uri: url }));
  });
  afterEach(async () => {
    client.stop();
    await server.close();
  });

  const readSecure = () => client.query({ query: SecureDataDocument });
  /** The extensions of the GraphQL error that Apollo throws. */
  async function findExtensions(operation: Promise<unknown>) {
    const error = await operation.then(() => undefined).catch((thrown: unknown) => thrown);
    if (!CombinedGraphQLErrors.is(error)) throw new Error(`Expected GraphQL errors, got: ${error}`);
    expect(error.errors).toHaveLength(1);
    return error.errors[0]?.extensions;
  }

  it('Apollo Client runs Bandha’s own operations with typed documents', async () => {
    const { data } = await client.mutate({ mutation: RegisterDocument, variables: ADA });
    expect(data?.register.user.email).toBe(ADA.email);
    await auth.login(ADA);
    const secure = await readSecure();
    const message: string | undefined = secure.data?.secureData?.message;
    expect(message).toBe('Secure data access granted');
    const logout = await client.mutate({
      mutation: LogoutDocument,
      variables: { refreshToken: data?.register.refreshToken },
    });
    expect(logout.data?.logout).toBe(true);
  });

  it('Apollo Client throws code and reason of a response with status 401', async () => {
    expect(await findExtensions(readSecure())).toEqual({
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_TOKEN',
      coordinate: 'Query.secureData',
    });
  });

  it('Apollo Client returns the errors of status 401 with errorPolicy all', async () => {
    const { data, error } = await client.query({ query: SecureDataDocument, errorPolicy: 'all' });
    expect(data).toBeUndefined();
    expect(CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions?.reason).toBe('MISSING_TOKEN');
  });

  it('Apollo Client throws a ServerError for status 401 with application/json', async () => {
    const headers = { accept: 'application/json' };
    const operation = client.query({ query: SecureDataDocument, context: { headers } });
    const error = await operation.then(() => undefined).catch((thrown: unknown) => thrown);
    expect(ServerError.is(error) && error.bodyText).toContain('MISSING_TOKEN');
  });

  it('Apollo Client throws the code of a rejected login with status 200', async () => {
    const wrong = { ...ADA, password: 'not this one at all' };
    expect(await findExtensions(client.mutate({ mutation: LoginDocument, variables: wrong }))).toEqual({
      code: 'INVALID_CREDENTIALS',
    });
  });
});
