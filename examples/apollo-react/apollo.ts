// Apollo Client with the signed-in user's token.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { createAuthLink } from 'bandha/apollo';
import { auth } from './auth.ts';

export const apollo = new ApolloClient({
  link: ApolloLink.from([createAuthLink(auth), new HttpLink({ uri: auth.url })]),
  cache: new InMemoryCache(),
});

let cacheOwner = auth.user?.id;

// Clears the cache when another user signs in. A change of roles keeps it, because clearing would cancel queries in flight.
auth.onUserChanged((user) => {
  if (user?.id === cacheOwner) return;
  cacheOwner = user?.id;
  void apollo.clearStore();
});
