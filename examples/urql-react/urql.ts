// urql with the token of whoever is signed in.
import { bandhaExchange } from 'bandha/urql';
import { Client, cacheExchange, fetchExchange } from 'urql';
import { auth } from './auth.ts';

/** A client for one user: what one has read is not for the next one. */
export function createUrqlClient(): Client {
  return new Client({
    url: auth.url,
    exchanges: [cacheExchange, bandhaExchange(auth), fetchExchange],
    preferGetMethod: false, // queries do not belong into addresses, which are logged
  });
}
