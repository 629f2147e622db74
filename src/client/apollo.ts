// The client's token on whatever Apollo Client sends. Package entry `bandha/apollo`.
import { ApolloLink } from '@apollo/client/link';
import { Observable, type Subscription } from 'rxjs';
import { findTokenRefusal } from './token-errors.ts';
import type { AuthClient } from './types.ts';

/**
 * A link to put before `HttpLink`: sends the client's access token, and where the server answers that it has expired,
 * renews it and sends the operation once more. A mutation of which a part may have run is not sent again. Where the token
 * cannot be had, the operation fails with the `AuthClientError` that says why; all else comes through as it is.
 */
export function createAuthLink(client: AuthClient): ApolloLink {
  return new ApolloLink(
    (operation, forward) =>
      new Observable<ApolloLink.Result>((observer) => {
        let isClosed = false;
        let mayRetry = true;
        let attempt: Subscription | undefined;
        withToken(client.accessToken(), send);
        return () => {
          isClosed = true;
          attempt?.unsubscribe();
        };

        function withToken(token: Promise<string | null>, use: (token: string | null) => void): void {
          token.then((value) => isClosed || use(value)).catch((error) => observer.error(error));
        }

        function send(token: string | null): void {
          let isGivenUp = false;
          operation.setContext(({ headers }) => ({
            headers: { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
          }));
          attempt = forward(operation).subscribe({
            next(result) {
              const passOn = () => observer.next(result);
              judge(result, passOn, () => {
                passOn();
                observer.complete();
              });
            },
            error(error) {
              const passOn = () => observer.error(error);
              judge(readAnswer(error), passOn, passOn);
            },
            complete: () => isGivenUp || observer.complete(),
          });

          /** Passes an event on, unless another attempt comes instead; `passOnLast` where that cannot be. */
          function judge(answer: Answer, passOn: () => void, passOnLast: () => void): void {
            if (isGivenUp) return;
            const refusal = findTokenRefusal(answer.errors);
            if (refusal === 'TOKEN_REVOKED' && token !== null) client.revoked(token);
            const mayHaveRun = operation.operationType === 'mutation' && answer.data !== undefined;
            isGivenUp = refusal === 'TOKEN_EXPIRED' && token !== null && mayRetry && !mayHaveRun;
            if (isGivenUp && token !== null) {
              mayRetry = false;
              withToken(client.renew(token), (renewed) => {
                attempt?.unsubscribe();
                if (renewed === null) passOnLast();
                else send(renewed);
              });
            } else {
              // A subscription that has begun may outlive several tokens.
              if (refusal === undefined && operation.operationType === 'subscription') mayRetry = true;
              passOn();
            }
          }
        }
      }),
  );
}

interface Answer {
  errors?: unknown;
  data?: unknown;
}

/** What the server answered, where Apollo makes an error of the HTTP status and keeps the text as `bodyText`. */
function readAnswer(error: { bodyText?: unknown; errors?: unknown } | null): Answer {
  try {
    return JSON.parse(String(error?.bodyText)) ?? {};
  } catch {
    return { errors: error?.errors };
  }
}
