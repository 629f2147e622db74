// Apollo Link that sends the client's access token. Package entry `bandha/apollo`.
import { ApolloLink } from '@apollo/client/link';
import { Observable, type Subscription } from 'rxjs';
import { decideRetry } from './retry.ts';
import type { AuthClient } from './types.ts';

/**
 * Creates a link that adds the client's access token to each operation. If the server reports that the token has expired, the
 * link renews it and sends the operation again, once; a mutation that may have taken effect in part is not sent again. If the
 * token was revoked, the client signs out. Everything else passes through.
 *
 * @throws AuthClientError as the operation's error if the token cannot be refreshed; codes as for `AuthClient.accessToken`
 * @example
 * new ApolloClient({
 *   link: ApolloLink.from([createAuthLink(auth), new HttpLink({ uri: auth.url })]),
 *   cache: new InMemoryCache(),
 * });
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
              handle(result, passOn, () => {
                passOn();
                observer.complete();
              });
            },
            error(error) {
              const passOn = () => observer.error(error);
              handle(parseErrorBody(error), passOn, passOn);
            },
            complete: () => isReplaced || observer.complete(),
          });

          /**
           * Passes an event on or replaces this attempt.
           * @param passOnLast passes the event on and completes, if there is no other token to retry with
           */
          function handle({ errors, data }: ResponseBody, passOn: () => void, passOnLast: () => void): void {
            if (isReplaced) return;
            const { operationType } = operation;
            const decision = decideRetry({ errors, data, operationType, token, mayRetry });
            mayRetry = decision.mayRetry;
            if (decision.action === 'renew' && token !== null) {
              isReplaced = true;
              withToken(client.renew(token), (renewed) => {
                attempt?.unsubscribe();
                if (renewed === null) passOnLast();
                else send(renewed);
              });
            } else {
              if (decision.action === 'sign-out' && token !== null) client.revoked(token);
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

/** Reads the response from an error: for some HTTP statuses Apollo throws, with the response as `bodyText`. */
function parseErrorBody(error: { bodyText?: unknown; errors?: unknown } | null): ResponseBody {
  try {
    return JSON.parse(String(error?.bodyText)) ?? {};
  } catch {
    return { errors: error?.errors };
  }
}
