// The response for each row of the error catalogue.
import { GraphQLError, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  AUTH_ERRORS,
  AuthError,
  type AuthErrorDetails,
  type AuthErrorReason,
  ConfigError,
  findAuthError,
  toGraphQLError,
} from '../../src/errors.ts';

const BARE = 'Bearer realm="bandha"';
const INVALID = /^Bearer realm="bandha", error="invalid_token", error_description="[^"]+"$/;
const coordinate = 'Query.secureData';

interface Row {
  reason: AuthErrorReason;
  details?: AuthErrorDetails;
  status: number;
  code: string;
  /** `extensions.reason`; absent if it equals the code. */
  shown?: AuthErrorReason;
  challenge?: string | RegExp;
  /** The complete message, if it is not a sentence. */
  message?: string;
  retryAfter?: string;
}

const unauthenticated = (reason: AuthErrorReason, challenge: string | RegExp): Row => ({
  reason,
  details: { coordinate },
  status: 401,
  code: 'UNAUTHENTICATED',
  shown: reason,
  challenge,
});
const forbidden = (reason: AuthErrorReason, details: AuthErrorDetails = {}, challenge?: string): Row => ({
  reason,
  details: { coordinate, ...details },
  status: 403,
  code: 'FORBIDDEN',
  shown: reason,
  ...(challenge && { challenge }),
});
const inBody = (code: string, reason: AuthErrorReason): Row => ({ reason, status: 200, code, shown: reason });

const ROWS: Row[] = [
  unauthenticated('MISSING_TOKEN', BARE),
  unauthenticated('TOKEN_MALFORMED', INVALID),
  unauthenticated('TOKEN_EXPIRED', INVALID),
  unauthenticated('TOKEN_INVALID', INVALID),
  unauthenticated('TOKEN_REVOKED', INVALID),
  {
    ...unauthenticated(
      'REAUTHENTICATION_REQUIRED',
      /^Bearer realm="bandha", error="insufficient_user_authentication"(, error_description="[^"]+")?, max_age="300"$/,
    ),
    details: { coordinate, maxAge: 300 },
  },
  forbidden('MISSING_ROLE'),
  forbidden('POLICY_DENIED'),
  forbidden('MISSING_SCOPE', { scope: 'a:read b' }, `${BARE}, error="insufficient_scope", scope="a:read b"`),
  {
    reason: 'KEYS_UNAVAILABLE',
    details: { coordinate },
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    shown: 'KEYS_UNAVAILABLE',
    retryAfter: '5',
  },
  {
    reason: 'REVOCATIONS_UNAVAILABLE',
    details: { coordinate },
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    shown: 'REVOCATIONS_UNAVAILABLE',
    retryAfter: '5',
  },
  {
    reason: 'STORE_UNAVAILABLE',
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    shown: 'STORE_UNAVAILABLE',
    retryAfter: '5',
  },
  { reason: 'INVALID_CREDENTIALS', status: 200, code: 'INVALID_CREDENTIALS' },
  inBody('INVALID_REFRESH_TOKEN', 'EXPIRED'),
  inBody('INVALID_REFRESH_TOKEN', 'REUSED'),
  inBody('INVALID_REFRESH_TOKEN', 'REVOKED'),
  inBody('INVALID_REFRESH_TOKEN', 'UNKNOWN'),
  inBody('BAD_USER_INPUT', 'EMAIL_TAKEN'),
  inBody('BAD_USER_INPUT', 'WEAK_PASSWORD'),
  inBody('BAD_USER_INPUT', 'INVALID_EMAIL'),
  inBody('BAD_USER_INPUT', 'INVALID_VALUE'),
  {
    reason: 'PERSISTED_QUERY_NOT_SUPPORTED',
    status: 200,
    code: 'PERSISTED_QUERY_NOT_SUPPORTED',
    message: 'PersistedQueryNotSupported', // urql compares it
  },
  { reason: 'RATE_LIMITED', status: 429, code: 'RATE_LIMITED', retryAfter: '5' },
  {
    reason: 'RATE_LIMITED',
    details: { retryAfterSeconds: 17 },
    status: 429,
    code: 'RATE_LIMITED',
    retryAfter: '17',
  },
];

const expectedExtensions = ({ code, shown, details }: Row) => ({
  code,
  ...(shown && { reason: shown }),
  ...(details?.coordinate && { coordinate }),
});

describe.each(ROWS)('$reason', (row) => {
  const error = new AuthError(row.reason, row.details);

  it('sets code, reason, status and headers when the error ends the request', () => {
    const { http, ...extensions } = toGraphQLError(error, {}, true).extensions;
    expect(extensions).toEqual(expectedExtensions(row));
    if (row.status === 200) {
      expect(http).toBeUndefined();
      return;
    }
    expect(http).toEqual({
      status: row.status,
      headers: {
        ...(row.challenge && {
          'WWW-Authenticate':
            row.challenge instanceof RegExp ? expect.stringMatching(row.challenge) : row.challenge,
        }),
        ...(row.retryAfter && { 'Retry-After': row.retryAfter }),
      },
    });
  });

  it('sets neither status nor headers when the response has data', () => {
    expect(toGraphQLError(error, {}, false).extensions).toEqual(expectedExtensions(row));
  });

  it('writes the message as a sentence, without quotes that would end a header value', () => {
    const { message } = toGraphQLError(error, {}, true);
    expect(message).toMatch(
      row.message ?? (row.details?.coordinate ? /^[A-Z].+ \(Query\.secureData\)\.$/ : /^[A-Z].+[^.]\.$/),
    );
    expect(error.message).not.toContain('"');
  });
});

describe('AuthError', () => {
  it.each(ROWS)('$reason carries code, reason and status', ({ reason, code, status }) => {
    expect(new AuthError(reason)).toMatchObject({ code, reason, status });
    expect(AUTH_ERRORS[reason]).toMatchObject({ code, status });
  });

  it('takes code and status from a catalogue that cannot be changed', () => {
    expect(new Set(ROWS.map(({ reason }) => reason))).toEqual(new Set(Object.keys(AUTH_ERRORS)));
    expect(Object.isFrozen(AUTH_ERRORS)).toBe(true);
    expect(Object.values(AUTH_ERRORS).every(Object.isFrozen)).toBe(true);
  });
});

describe('toGraphQLError', () => {
  it('sets the nodes and the path', () => {
    const [definition] = parse('{ secureData { message } }').definitions;
    const nodes = definition ? [definition] : [];
    const error = toGraphQLError(new AuthError('MISSING_TOKEN'), { nodes, path: ['a', 1] }, true);
    expect(error.path).toEqual(['a', 1]);
    expect(error.nodes).toEqual(nodes);
  });

  it('hides the cause from the client', () => {
    const cause = new Error('connect ECONNREFUSED db.internal:5432');
    const authError = new AuthError('STORE_UNAVAILABLE', {}, undefined, { cause });
    expect(authError.cause).toBe(cause);
    const error = toGraphQLError(authError, {}, true);
    expect(JSON.stringify([error, error.extensions, error.message])).not.toContain('db.internal');
  });

  it('uses a custom message', () => {
    const error = new AuthError('WEAK_PASSWORD', {}, 'The password must have at least 8 characters');
    expect(toGraphQLError(error, {}, false).message).toBe('The password must have at least 8 characters.');
  });
});

describe('findAuthError', () => {
  const authError = new AuthError('MISSING_ROLE');
  const wrap = (originalError: Error) => new GraphQLError('wrapped', { originalError });

  it.each([
    ['an AuthError', authError, authError],
    ['a wrapped AuthError', wrap(authError), authError],
    ['an AuthError wrapped twice', wrap(wrap(authError)), authError],
    ['another error', new Error('unexpected'), undefined],
    ['another error, wrapped', wrap(new Error('unexpected')), undefined],
    ['a GraphQL error without an original error', new GraphQLError('validation'), undefined],
    ['undefined', undefined, undefined],
  ])('finds the AuthError in %s, if any', (_, error, expected) => {
    expect(findAuthError(error)).toBe(expected);
  });
});

describe('ConfigError', () => {
  it('lists its issues, one a line', () => {
    const error = new ConfigError(['A: is required', 'B: is not']);
    expect(error.issues).toEqual(['A: is required', 'B: is not']);
    expect(error.message).toBe('A: is required\nB: is not');
  });
});
