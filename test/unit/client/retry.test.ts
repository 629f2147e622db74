// The retry decision that the Apollo link, the urql exchange and GraphiQL share.
import { describe, expect, it } from 'vitest';
import { decideRetry, type RetryInput } from '../../../src/client/retry.ts';

const EXPIRED = [{ extensions: { code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' } }];
const REVOKED = [{ extensions: { code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' } }];
const FORBIDDEN = [{ extensions: { code: 'FORBIDDEN', reason: 'MISSING_ROLE' } }];

const QUERY: RetryInput = {
  errors: undefined,
  data: undefined,
  operationType: 'query',
  token: 'token',
  mayRetry: true,
};

describe('decideRetry', () => {
  it.each<[string, Partial<RetryInput>, ReturnType<typeof decideRetry>]>([
    ['a result', { data: {} }, { action: 'deliver', mayRetry: true }],
    ['an expired token', { errors: EXPIRED }, { action: 'renew', mayRetry: false }],
    ['an expired token beside data', { errors: EXPIRED, data: {} }, { action: 'renew', mayRetry: false }],
    ['a second expiry', { errors: EXPIRED, mayRetry: false }, { action: 'deliver', mayRetry: false }],
    [
      'an expired token of another source',
      { errors: EXPIRED, token: null },
      { action: 'deliver', mayRetry: true },
    ],
    ['a revoked token', { errors: REVOKED }, { action: 'sign-out', mayRetry: true }],
    [
      'a revoked token of another source',
      { errors: REVOKED, token: null },
      { action: 'deliver', mayRetry: true },
    ],
    ['a forbidden field', { errors: FORBIDDEN }, { action: 'deliver', mayRetry: true }],
    ['errors that are not a list', { errors: 'TOKEN_EXPIRED' }, { action: 'deliver', mayRetry: true }],
  ])('handles %s of a query', (_, input, decision) => {
    expect(decideRetry({ ...QUERY, ...input })).toEqual(decision);
  });

  it.each<[string | undefined, unknown, string]>([
    ['mutation', undefined, 'renew'],
    ['mutation', null, 'deliver'],
    ['mutation', {}, 'deliver'],
    [undefined, undefined, 'renew'],
    [undefined, {}, 'deliver'],
  ])(
    'repeats an operation of type %s with data %j only if it has not begun',
    (operationType, data, action) => {
      expect(decideRetry({ ...QUERY, operationType, data, errors: EXPIRED }).action).toBe(action);
    },
  );

  it('allows another retry after an event of a subscription, but not of a query', () => {
    const event = { ...QUERY, data: {}, mayRetry: false };
    expect(decideRetry({ ...event, operationType: 'subscription' }).mayRetry).toBe(true);
    expect(decideRetry(event).mayRetry).toBe(false);
  });
});
