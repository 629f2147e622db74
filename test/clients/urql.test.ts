// A real urql client against the running server: the way through its fetch options, and how it shows a refusal.
import { type AnyVariables, Client, CombinedError, fetchExchange, type OperationResult } from '@urql/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GOOD_PASSWORD, type SignedIn, startTestServer, type TestServer } from '../support/test-server.ts';

const PAYLOAD = 'accessToken refreshToken expiresIn user { id email }';
const REGISTER = `mutation ($email: String!, $password: String!) { register(email: $email, password: $password) { ${PAYLOAD} } }`;
const LOGIN = `mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { ${PAYLOAD} } }`;
const REFRESH = `mutation ($token: String!) { refresh(refreshToken: $token) { ${PAYLOAD} } }`;
const LOGOUT = 'mutation { logout }';
const SECURE = 'query Secure { secureData { message user { id email } } }';
const ADA = { email: 'ada@example.com', password: GOOD_PASSWORD };

let server: TestServer;
let client: Client;
/** What the app keeps; the fetch options below send the access token. */
let tokens: SignedIn | undefined;

function createClient(preferGetMethod: boolean): Client {
  return new Client({
    url: `${server.url}/graphql`,
    exchanges: [fetchExchange],
    preferGetMethod,
    fetchOptions: () => (tokens ? { headers: { authorization: `Bearer ${tokens.accessToken}` } } : {}),
  });
}

type SecureAnswer = { secureData: { message: string; user: { email: string } } };
const readSecure = (from = client) => from.query<SecureAnswer>(SECURE, {}).toPromise();
const register = async () =>
  dataOf(await client.mutation<{ register: SignedIn }>(REGISTER, ADA).toPromise()).register;
const refresh = (token: string) => client.mutation<{ refresh: SignedIn }>(REFRESH, { token }).toPromise();

function dataOf<T>({ data, error }: OperationResult<T, AnyVariables>): T {
  if (data === undefined) throw new Error(`Refused: ${error}`);
  return data;
}

/** Status and extensions of a refusal, as an app reads them from the result. */
function refusalOf({ data, error }: OperationResult<unknown, AnyVariables>) {
  expect(data).toBeUndefined();
  expect(error).toBeInstanceOf(CombinedError);
  expect(error?.networkError).toBeUndefined();
  expect(error?.graphQLErrors).toHaveLength(1);
  return { status: error?.response?.status, ...error?.graphQLErrors[0]?.extensions };
}

beforeEach(async () => {
  server = await startTestServer();
  tokens = undefined;
  client = createClient(false);
});
afterEach(() => server.close());

describe('urql', () => {
  it('registers, logs in and reads protected data with the token of its fetch options', async () => {
    expect((await register()).user.email).toBe(ADA.email);
    tokens = dataOf(await client.mutation<{ login: SignedIn }>(LOGIN, ADA).toPromise()).login;
    expect(tokens.expiresIn).toBe(600);
    expect(dataOf(await readSecure()).secureData).toMatchObject({
      message: 'Secure data access granted',
      user: { email: ADA.email },
    });
  });

  it.each([
    ['POST', false],
    ['GET', true],
  ])('receives the GraphQL errors of a 401 answer to a %s, code and reason included', async (_, useGet) => {
    expect(refusalOf(await readSecure(createClient(useGet)))).toEqual({
      status: 401,
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_TOKEN',
      coordinate: 'Query.secureData',
    });
  });

  it('receives the challenge of a 401 answer', async () => {
    const { error } = await readSecure();
    expect(error?.response.headers.get('www-authenticate')).toBe('Bearer realm="bandha"');
  });

  it('is refused with an expired token, refreshes with the stale header in place, and reads again', async () => {
    tokens = await register();
    dataOf(await readSecure());
    server.clock.now = new Date(server.clock.now.getTime() + 601_000);
    expect(refusalOf(await readSecure())).toMatchObject({
      status: 401,
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_EXPIRED',
    });
    tokens = dataOf(await refresh(tokens.refreshToken)).refresh;
    expect(dataOf(await readSecure()).secureData.user.email).toBe(ADA.email);
  });

  it('is refused with the token of the session it has ended', async () => {
    tokens = await register();
    expect(dataOf(await client.mutation<{ logout: boolean }>(LOGOUT, {}).toPromise()).logout).toBe(true);
    expect(refusalOf(await readSecure())).toMatchObject({
      status: 401,
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_REVOKED',
    });
    const refused = (await refresh(tokens.refreshToken)).error?.graphQLErrors[0]?.extensions;
    expect(refused).toEqual({ code: 'INVALID_REFRESH_TOKEN', reason: 'REVOKED' });
  });
});
