// Sends Bandha's own operations, and tells a refusal from a fault.
import { AuthClientError } from './error.ts';
import { abortAfter } from './time-limit.ts';
import type { AuthPayload, Credentials } from './types.ts';

export interface AuthApi {
  register(credentials: Credentials): Promise<AuthPayload>;
  login(credentials: Credentials): Promise<AuthPayload>;
  refresh(refreshToken: string): Promise<AuthPayload>;
  logout(refreshToken: string): Promise<unknown>;
}

/** Long enough for a password that waits for its turn to be hashed. */
const SIGN_IN_TIMEOUT_MS = 30_000;
/** Less than half the time for which the server answers a refresh again, so that the next try comes soon enough. */
const REFRESH_TIMEOUT_MS = 4_000;

const TOKEN_FIELDS = '{accessToken refreshToken expiresIn user{id email roles createdAt}}';
const signIn = (field: string) =>
  `mutation($email:String!,$password:String!){${field}(email:$email,password:$password)${TOKEN_FIELDS}}`;
const withRefreshToken = (field: string) =>
  `mutation($refreshToken:String!){${field}(refreshToken:$refreshToken)`;

/** Each verb rejects with an `AuthClientError` whose message contains nothing of what was sent. */
export function createAuthApi(url: string, fetch: typeof globalThis.fetch): AuthApi {
  /** @param keepalive whether it shall arrive also when the page goes away */
  async function send(
    query: string,
    variables: Record<string, string>,
    timeoutMs: number,
    keepalive = false,
    // biome-ignore lint/suspicious/noExplicitAny: what the server sends is looked at below
  ): Promise<any> {
    let response: Response;
    let text: string;
    try {
      [response, text] = await abortAfter(timeoutMs, async (signal) => {
        const received = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify({ query, variables }),
          keepalive,
          redirect: 'error', // another server must not get the password
          signal,
        });
        return [received, await received.text()];
      });
    } catch (cause) {
      throw new AuthClientError('NETWORK_ERROR', 'The server cannot be reached', { cause });
    }
    const body = parse(text);
    const rejection = body?.errors?.[0];
    const retryAfterSeconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10) || undefined;
    if (typeof rejection?.extensions?.code === 'string') {
      const { code, reason } = rejection.extensions;
      const message = String(rejection.message);
      const containsInput = Object.values(variables).some(
        // A message may have the word `password` without telling that it is somebody's.
        (value) =>
          !/^[a-z]+$/i.test(value) &&
          (message.includes(value) || message.includes(JSON.stringify(value).slice(1, -1))),
      );
      throw new AuthClientError(code, containsInput ? `Refused with ${code}` : message, {
        reason,
        retryAfterSeconds,
      });
    }
    if (rejection || !body?.data) {
      const message = `The server answered with status ${response.status} and no GraphQL result`;
      throw new AuthClientError('BAD_ANSWER', message, { retryAfterSeconds });
    }
    return body.data;
  }

  const sendSignIn = (field: 'register' | 'login') => async (credentials: Credentials) => {
    const { email, password } = credentials;
    return assertTokenResponse((await send(signIn(field), { email, password }, SIGN_IN_TIMEOUT_MS))[field]);
  };
  return {
    register: sendSignIn('register'),
    login: sendSignIn('login'),
    refresh: async (refreshToken) =>
      assertTokenResponse(
        (await send(`${withRefreshToken('refresh')}${TOKEN_FIELDS}}`, { refreshToken }, REFRESH_TIMEOUT_MS))
          .refresh,
      ),
    logout: (refreshToken) =>
      send(`${withRefreshToken('logout')}}`, { refreshToken }, REFRESH_TIMEOUT_MS, true),
  };
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function assertTokenResponse(issued: unknown): AuthPayload {
  if (!isAuthPayload(issued)) throw new AuthClientError('BAD_ANSWER', 'The server answered without tokens');
  return issued;
}

/** Whether a value has every field of an `AuthPayload` that the client reads. */
export function isAuthPayload(value: unknown): value is AuthPayload {
  const { accessToken, refreshToken, expiresIn, user } = (value ?? {}) as Partial<AuthPayload>; // checked next
  return (
    typeof accessToken === 'string' &&
    typeof refreshToken === 'string' &&
    typeof expiresIn === 'number' &&
    expiresIn > 0 &&
    typeof user?.id === 'string'
  );
}
