// What runs in a tab of the browser tests: a client, and an app on it for each way to send queries.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { createAuthLink } from '../../../src/client/apollo.ts';
import { SecureDataDocument } from '../../../src/client/documents.generated.ts';
import { type AuthClient, createAuthClient, type User } from '../../../src/client/index.ts';
import { bandhaExchange } from '../../../src/client/urql.ts';

export type Way = 'core' | 'apollo' | 'urql';
type Run = () => Promise<string | undefined>;

export interface PageTab {
  client: AuthClient;
  /** What `onSignedOut` was called with. */
  signedOut: string[];
  /** Sends a protected query so many times at once; gives each one's message, or what went wrong. */
  run(way: Way, times: number): Promise<string[]>;
  /** Asks for the token again and again until it has changed so many times; gives all that were seen. */
  seeTokens(changes: number): Promise<string[]>;
  /** Resolves with the next one who is signed in, or null. */
  nextUser(): Promise<User | null>;
}

declare global {
  /** Opens the client of this tab; settled when it is ready. */
  var openBandhaTab: (storage: 'memory' | 'localStorage') => Promise<void>;
  var bandhaTab: PageTab;
}

const url = `${location.origin}/graphql`;

globalThis.openBandhaTab = async (storage) => {
  const client = createAuthClient({ url, storage });
  const signedOut: string[] = [];
  client.onSignedOut((reason) => signedOut.push(reason));
  const ways: Record<Way, Run> = {
    core: () => readByHand(client),
    apollo: readWithApollo(client),
    urql: readWithUrql(client),
  };
  globalThis.bandhaTab = {
    client,
    signedOut,
    run: (way, times) =>
      Promise.all(Array.from({ length: times }, () => ways[way]().catch(String).then(String))),
    async seeTokens(changes) {
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

/** As an app does that has no GraphQL client. */
async function readByHand(client: AuthClient): Promise<string | undefined> {
  const ask = async (token: string | null) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ secureData { message } }' }),
    });
    return response.json();
  };
  const token = await client.accessToken();
  const answer = await ask(token);
  const isExpired = answer.errors?.[0].extensions.reason === 'TOKEN_EXPIRED';
  const { data, errors } = isExpired && token ? await ask(await client.renew(token)) : answer;
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
    // urql runs equal queries once, so each has a name of its own.
    count += 1;
    const query = `query Q${count} { secureData { message } }`;
    const { data, error } = await urql.query(query, {}, { requestPolicy: 'network-only' }).toPromise();
    return data?.secureData.message ?? error?.message;
  };
}
