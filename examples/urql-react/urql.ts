// urql with the signed-in user's token.
import { bandhaExchange } from 'bandha/urql';
import { Client, cacheExchange, fetchExchange } from 'urql';
import { auth } from './auth.ts';

/** Creates a client for one user, so that the next user does not see cached data. */
export function createUrqlClient(): Client {
  return new Client({
    url: auth.url,
    exchanges: [cacheExchange, bandhaExchange(auth), fetchExchange],
    preferGetMethod: false, // keeps queries and variables out of URLs, which are often logged
  });
}
