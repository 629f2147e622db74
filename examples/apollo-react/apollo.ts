// Apollo Client with the token of whoever is signed in.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { createAuthLink } from 'bandha/apollo';
import { auth } from './auth.ts';

export const apollo = new ApolloClient({
  link: ApolloLink.from([createAuthLink(auth), new HttpLink({ uri: auth.url })]),
  cache: new InMemoryCache(),
});

let reader = auth.user?.id;

// What one user has read is not for the next one. Other roles leave it: clearing would break off what is being asked.
auth.onUserChanged((user) => {
  if (user?.id === reader) return;
  reader = user?.id;
  void apollo.clearStore();
});
