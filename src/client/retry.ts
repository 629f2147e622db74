// Decides whether an operation is sent again with a new token: for the Apollo link, the urql exchange and GraphiQL.
import { findTokenError } from './token-errors.ts';

/** One response, and how its operation was sent. */
export interface RetryInput {
  /** `errors` of the response. */
  errors: unknown;
  /** `data` of the response; undefined if the server did not begin to execute the operation. */
  data: unknown;
  /** `query`, `mutation` or `subscription`; undefined if unknown. */
  operationType: string | undefined;
  /** The client's token that the operation was sent with; null or undefined if it was sent without one. */
  token: string | null | undefined;
  /** Whether a retry is still allowed: true at first, then as the latest decision says. */
  mayRetry: boolean;
}

export interface RetryDecision {
  /**
   * `deliver`: pass the response to the app. `renew`: call `client.renew(token)` and send the operation again, or deliver the
   * response if that returns null. `sign-out`: call `client.revoked(token)`, then deliver.
   */
  action: 'deliver' | 'renew' | 'sign-out';
  /** Whether a later response of this operation may lead to a retry. */
  mayRetry: boolean;
}

/** Allows one retry for each expired token, and none for a mutation that may have taken effect in part. */
export function decideRetry({ errors, data, operationType, token, mayRetry }: RetryInput): RetryDecision {
  const tokenError = token ? findTokenError(errors) : undefined;
  if (tokenError === 'TOKEN_REVOKED') return { action: 'sign-out', mayRetry };
  const isSubscription = operationType === 'subscription';
  // A subscription that delivers events may outlive several tokens.
  if (tokenError === undefined) return { action: 'deliver', mayRetry: mayRetry || isSubscription };
  const mayHaveRun = data !== undefined && operationType !== 'query' && !isSubscription;
  return mayRetry && !mayHaveRun ? { action: 'renew', mayRetry: false } : { action: 'deliver', mayRetry };
}
