// Page of the browser tests: a client, and an app for each library that sends queries.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { createAuthLink } from '../../../src/client/apollo.ts';
import { SecureDataDocument } from '../../../src/client/documents.generated.ts';
import { type AuthClient, createAuthClient, type User } from '../../../src/client/index.ts';
import { bandhaExchange } from '../../../src/client/urql.ts';

export type Sender = 'core' | 'apollo' | 'urql';
type Run = () => Promise<string | undefined>;

export interface PageTab {
  client: AuthClient;
  /** Reasons passed to `onSignedOut`. */
  signedOut: string[];
  /** Sends a protected query `times` times at once. Returns each message or error. */
  run(sender: Sender, times: number): Promise<string[]>;
  /** Reads the token in every frame until it has changed `changes` times. Returns all tokens. */
  collectTokens(changes: number): Promise<string[]>;
  /** Resolves with the user of the next change, or null after a sign-out. */
  nextUser(): Promise<User | null>;
}

declare global {
  /** Opens the client of this tab, and waits until it is ready. */
  var openBandhaTab: (storage: 'memory' | 'localStorage') => Promise<void>;
  var bandhaTab: PageTab;
}

const url = `${location.origin}/graphql`;

globalThis.openBandhaTab = async (storage) => {
  const client = createAuthClient({ url, storage });
  const signedOut: string[] = [];
  client.onSignedOut((reason) => signedOut.push(reason));
  const senders: Record<Sender, Run> = {
    core: () => readWithFetch(client),
    apollo: readWithApollo(client),
    urql: readWithUrql(client),
  };
  globalThis.bandhaTab = {
    client,
    signedOut,
    run: (sender, times) =>
      Promise.all(Array.from({ length: times }, () => senders[sender]().catch(String).then(String))),
    async collectTokens(changes) {
      const seen = new Set<string>();
      while (seen.size <= changes) {
        seen.add(String(await client.accessToken()));
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return [...seen];
    },
    nextUser: () => {
      const { promise, resolve } = Promise.withResolvers<User | null>();
      const off = client.onUserChanged((user) => {
        off();
        resolve(user);
      });
      return promise;
    },
  };
  await client.ready;
};

/** Reads secure data like an app without a GraphQL client. */
async function readWithFetch(client: AuthClient): Promise<string | undefined> {
  const send = async (token: string | null) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ secureData { message } }' }),
    });
    return response.json();
  };
  const token = await client.accessToken();
  const response = await send(token);
  const isExpired = response.errors?.[0].extensions.reason === 'TOKEN_EXPIRED';
  const { data, errors } = isExpired && token ? await send(await client.renew(token)) : response;
  return data?.secureData.message ?? errors[0].message;
}

function readWithApollo(client: AuthClient): Run {
  const apollo = new ApolloClient({
    link: ApolloLink.from([createAuthLink(client), new HttpLink({ uri: url })]),
    cache: new InMemoryCache(),
  });
  return async () => {
    const { data } = await apollo.query({
      query: SecureDataDocument,
      fetchPolicy: 'no-cache',
      context: { queryDeduplication: false },
    });
    return data?.secureData?.message;
  };
}

function readWithUrql(client: AuthClient): Run {
  const urql = new Client({
    url,
    exchanges: [bandhaExchange(client), fetchExchange],
    preferGetMethod: false,
  });
  let count = 0;
  return async () => {
    // Each query has another name, because urql deduplicates equal queries.
    count += 1;
    const query = `query Q${count} { secureData { message } }`;
    const { data, error } = await urql.query(query, {}, { requestPolicy: 'network-only' }).toPromise();
    return data?.secureData.message ?? error?.message;
  };
}
