// A real Apollo Client against the running server: the way through its links, and how it shows a refusal.
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
  Observable,
  type TypedDocumentNode,
} from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GOOD_PASSWORD, type SignedIn, startTestServer, type TestServer } from '../support/test-server.ts';

type Answer<Field extends string, T, Variables = Record<string, never>> = TypedDocumentNode<
  Record<Field, T>,
  Variables
>;
interface Credentials {
  email: string;
  password: string;
}

const REGISTER: Answer<'register', SignedIn, Credentials> = gql`
  mutation Register($email: String!, $password: String!) {
    register(email: $email, password: $password) { accessToken refreshToken expiresIn user { id email } }
  }
`;
const LOGIN: Answer<'login', SignedIn, Credentials> = gql`
  mutation Login($email: String!, $password: String!) {
    login(email: $email, password: $password) { accessToken refreshToken expiresIn user { id email } }
  }
`;
const REFRESH: Answer<'refresh', SignedIn, { token: string }> = gql`
  mutation Refresh($token: String!) {
    refresh(refreshToken: $token) { accessToken refreshToken expiresIn user { id email } }
  }
`;
const LOGOUT: Answer<'logout', boolean> = gql`
  mutation Logout { logout }
`;
const SECURE: Answer<'secureData', { message: string; user: { email: string } }> = gql`
  query Secure { secureData { message user { id email } } }
`;
const ADA = { email: 'ada@example.com', password: GOOD_PASSWORD };

let server: TestServer;
let client: ApolloClient;
/** What the app keeps; the link below sends the access token. */
let tokens: SignedIn | undefined;

const authorize = new SetContextLink(({ headers }) => ({
  headers: { ...headers, ...(tokens && { authorization: `Bearer ${tokens.accessToken}` }) },
}));

function createClient(...links: ApolloLink[]): ApolloClient {
  const http = new HttpLink({ uri: `${server.url}/graphql` });
  return new ApolloClient({
    link: ApolloLink.from([...links, authorize, http]),
    cache: new InMemoryCache(),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
}

const readSecure = (from = client) => from.query({ query: SECURE });
const register = async () =>
  (await client.mutate({ mutation: REGISTER, variables: ADA })).data?.register as SignedIn; // a refusal throws
const refresh = async (token: string) =>
  (await client.mutate({ mutation: REFRESH, variables: { token } })).data?.refresh as SignedIn; // likewise

/** The refusal's extensions, as an app reads them from what Apollo throws. */
async function refusalOf(asked: Promise<unknown>) {
  const error = await asked.then(() => undefined).catch((thrown: unknown) => thrown);
  if (!CombinedGraphQLErrors.is(error)) throw new Error(`No GraphQL errors but: ${error}`);
  expect(error.errors).toHaveLength(1);
  return error.errors[0]?.extensions;
}

beforeEach(async () => {
  server = await startTestServer();
  tokens = undefined;
  client = createClient();
});
afterEach(async () => {
  client.stop();
  await server.close();
});

describe('Apollo Client', () => {
  it('registers, logs in and reads protected data with the token of its link', async () => {
    expect((await register()).user.email).toBe(ADA.email);
    const login = await client.mutate({ mutation: LOGIN, variables: ADA });
    tokens = login.data?.login;
    expect(tokens?.expiresIn).toBe(600);
    const { data } = await readSecure();
    expect(data?.secureData).toMatchObject({
      message: 'Secure data access granted',
      user: { email: ADA.email },
    });
  });

  it('throws the GraphQL errors of a 401 answer, code and reason included', async () => {
    expect(await refusalOf(readSecure())).toEqual({
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_TOKEN',
      coordinate: 'Query.secureData',
    });
  });

  it('hands the errors of a 401 answer over as a result where the policy is `all`', async () => {
    const { data, error } = await client.query({ query: SECURE, errorPolicy: 'all' });
    expect(data).toBeUndefined();
    expect(CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions?.reason).toBe('MISSING_TOKEN');
  });

  it('throws the GraphQL errors of a refusal that has status 200', async () => {
    const wrong = { ...ADA, password: 'not this one at all' };
    expect(await refusalOf(client.mutate({ mutation: LOGIN, variables: wrong }))).toEqual({
      code: 'INVALID_CREDENTIALS',
    });
  });

  it('is refused with an expired token, refreshes with the stale header in place, and reads again', async () => {
    tokens = await register();
    await readSecure();
    server.clock.now = new Date(server.clock.now.getTime() + 601_000);
    expect(await refusalOf(readSecure())).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
    tokens = await refresh(tokens.refreshToken);
    expect((await readSecure()).data?.secureData.user.email).toBe(ADA.email);
  });

  it('is refused with the token of the session it has ended', async () => {
    tokens = await register();
    expect((await client.mutate({ mutation: LOGOUT })).data?.logout).toBe(true);
    expect(await refusalOf(readSecure())).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
    expect(await refusalOf(refresh(tokens.refreshToken))).toEqual({
      code: 'INVALID_REFRESH_TOKEN',
      reason: 'REVOKED',
    });
  });

  it('lets an error link refresh and repeat what was refused for an expired token', async () => {
    tokens = await register();
    server.clock.now = new Date(server.clock.now.getTime() + 601_000);
    const seen: unknown[] = [];
    const renew = new ErrorLink(({ error, operation, forward }) => {
      if (!CombinedGraphQLErrors.is(error)) return;
      seen.push(error.errors[0]?.extensions?.reason);
      return new Observable((observer) => {
        void refresh(tokens?.refreshToken ?? '').then((fresh) => {
          tokens = fresh;
          forward(operation).subscribe(observer);
        });
      });
    });
    const renewing = createClient(renew);
    expect((await readSecure(renewing)).data?.secureData.user.email).toBe(ADA.email);
    expect(seen).toEqual(['TOKEN_EXPIRED']);
    renewing.stop();
  });
});
