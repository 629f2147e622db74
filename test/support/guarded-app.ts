// What the tests of the guard share: who calls, the plugin that says so, and a way to ask a Yoga without a listener.
import type { Plugin } from 'graphql-yoga';
import type { Principal } from '../../src/tokens/principal.ts';

/** Ada, signed in just now, without roles and scopes, but for the `changes`. */
export function createPrincipal(changes: Partial<Principal> = {}): Principal {
  return {
    userId: 'ada',
    sessionId: 'session',
    roles: new Set(),
    scopes: new Set(),
    authenticatedAt: new Date(),
    claims: {},
    ...changes,
  };
}

/** Puts the caller into the context of every operation; null is an anonymous one. */
export function useCaller(principal: Principal | null): Plugin {
  const plugin: Plugin<{ principal?: Principal | null }> = {
    onContextBuilding: ({ extendContext }) => extendContext({ principal }),
  };
  return plugin;
}

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server answers
  body: any;
}

interface Fetching {
  fetch(url: string, init: RequestInit): Response | Promise<Response>;
}

/** Gives a function that posts one operation to `yoga`; `more` is what its JSON says beside the query. */
export function createAsk(yoga: Fetching) {
  return async function ask(query: string, more: object = {}): Promise<Answer> {
    const response = await yoga.fetch('http://yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, ...more }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}
