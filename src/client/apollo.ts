// The client's token on whatever Apollo Client sends. Package entry `bandha/apollo`.
import { ApolloLink } from '@apollo/client/link';
import { Observable, type Subscription } from 'rxjs';
import { findTokenError } from './token-errors.ts';
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
          let isReplaced = false;
          operation.setContext(({ headers }) => ({
            headers: { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
          }));
          attempt = forward(operation).subscribe({
            next(result) {
              const passOn = () => observer.next(result);
              decideRetry(result, passOn, () => {
                passOn();
                observer.complete();
              });
            },
            error(error) {
              const passOn = () => observer.error(error);
              decideRetry(parseErrorBody(error), passOn, passOn);
            },
            complete: () => isReplaced || observer.complete(),
          });

          /** Passes an event on, unless another attempt comes instead; `passOnLast` where that cannot be. */
          function decideRetry(response: ResponseBody, passOn: () => void, passOnLast: () => void): void {
            if (isReplaced) return;
            const tokenError = findTokenError(response.errors);
            if (tokenError === 'TOKEN_REVOKED' && token !== null) client.revoked(token);
            const mayHaveRun = operation.operationType === 'mutation' && response.data !== undefined;
            isReplaced = tokenError === 'TOKEN_EXPIRED' && token !== null && mayRetry && !mayHaveRun;
            if (isReplaced && token !== null) {
              mayRetry = false;
              withToken(client.renew(token), (renewed) => {
                attempt?.unsubscribe();
                if (renewed === null) passOnLast();
                else send(renewed);
              });
            } else {
              // A subscription that has begun may outlive several tokens.
              if (tokenError === undefined && operation.operationType === 'subscription') mayRetry = true;
              passOn();
            }
          }
        }
      }),
  );
}

interface ResponseBody {
  errors?: unknown;
  data?: unknown;
}

/** What the server answered, where Apollo makes an error of the HTTP status and keeps the text as `bodyText`. */
function parseErrorBody(error: { bodyText?: unknown; errors?: unknown } | null): ResponseBody {
  try {
    return JSON.parse(String(error?.bodyText)) ?? {};
  } catch {
    return { errors: error?.errors };
  }
}
