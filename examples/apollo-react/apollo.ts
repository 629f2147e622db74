// Apollo Client with the token of whoever is signed in.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { createAuthLink } from 'bandha/apollo';
import { auth } from './auth.ts';

export const apollo = new ApolloClient({
  link: ApolloLink.from([createAuthLink(auth), new HttpLink({ uri: auth.url })]),
  cache: new InMemoryCache(),
});

// What one user has read is not for the next one.
auth.onUserChanged(() => void apollo.clearStore());
