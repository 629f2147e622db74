// Sends `register`, `login`, `refresh` and `logout`, and turns every failure into an `AuthClientError`.
import { AuthClientError } from './error.ts';
import { abortAfter } from './time-limit.ts';
import type { AuthPayload, Credentials } from './types.ts';

export interface AuthApi {
  register(credentials: Credentials): Promise<AuthPayload>;
  login(credentials: Credentials): Promise<AuthPayload>;
  refresh(refreshToken: string): Promise<AuthPayload>;
  logout(refreshToken: string): Promise<unknown>;
}

/** Long, because the password may wait in the server's hashing queue. */
const SIGN_IN_TIMEOUT_MS = 30_000;
/** Less than half of the time in which the server accepts the same refresh token again, so that a second attempt is in time. */
const REFRESH_TIMEOUT_MS = 4_000;

const TOKEN_FIELDS = '{accessToken refreshToken expiresIn user{id email roles createdAt}}';
const signIn = (field: string) =>
  `mutation($email:String!,$password:String!){${field}(email:$email,password:$password)${TOKEN_FIELDS}}`;
const withRefreshToken = (field: string) =>
  `mutation($refreshToken:String!){${field}(refreshToken:$refreshToken)`;

/**
 * Creates functions that send one mutation each.
 * @throws AuthClientError whose message contains no password and no token, even if the server repeats them
 */
export function createAuthApi(url: string, fetch: typeof globalThis.fetch): AuthApi {
  /** @param keepalive whether the request continues after the page is closed */
  async function send(
    query: string,
    variables: Record<string, string>,
    timeoutMs: number,
    keepalive = false,
    // biome-ignore lint/suspicious/noExplicitAny: the caller checks the fields it reads
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
          redirect: 'error', // never sends the password to another server
          signal,
        });
        return [received, await received.text()];
      });
    } catch (cause) {
      throw new AuthClientError('NETWORK_ERROR', 'The server cannot be reached', { cause });
    }
    const body = parse(text);
    const error = body?.errors?.[0];
    const retryAfterSeconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10) || undefined;
    if (typeof error?.extensions?.code === 'string') {
      const { code, reason } = error.extensions;
      const message = String(error.message);
      const containsInput = Object.values(variables).some(
        // Skips plain words: a message may contain the word `password` although it is the user's password.
        (value) =>
          !/^[a-z]+$/i.test(value) &&
          (message.includes(value) || message.includes(JSON.stringify(value).slice(1, -1))),
      );
      throw new AuthClientError(code, containsInput ? `Request failed with ${code}` : message, {
        reason,
        retryAfterSeconds,
      });
    }
    if (error || !body?.data) {
      const message = `The response with status ${response.status} is not a GraphQL result`;
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

function assertTokenResponse(payload: unknown): AuthPayload {
  if (!isAuthPayload(payload)) throw new AuthClientError('BAD_ANSWER', 'The response contains no tokens');
  return payload;
}

/** Whether a value has every field of an `AuthPayload` that the client reads. */
export function isAuthPayload(value: unknown): value is AuthPayload {
  const { accessToken, refreshToken, expiresIn, user } = (value ?? {}) as Partial<AuthPayload>; // the types are checked below
  return (
    typeof accessToken === 'string' &&
    typeof refreshToken === 'string' &&
    typeof expiresIn === 'number' &&
    expiresIn > 0 &&
    typeof user?.id === 'string'
  );
}
