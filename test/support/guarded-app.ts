// Shared by tests of the guard: a caller, the plugin that provides it, and a function that sends operations to a Yoga server.
import type { Plugin } from 'graphql-yoga';
import type { Principal } from '../../src/tokens/principal.ts';

/** Creates the principal of Ada, who has just signed in and has no roles and scopes, with `changes`. */
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

/** Puts the caller into the context of every operation. Null is an anonymous caller. */
export function useCaller(principal: Principal | null): Plugin {
  const plugin: Plugin<{ principal?: Principal | null }> = {
    onContextBuilding: ({ extendContext }) => extendContext({ principal }),
  };
  return plugin;
}

/** The response to an operation. */
export interface OperationResponse {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the server sends
  body: any;
}

interface FetchServer {
  fetch(url: string, init: RequestInit): Response | Promise<Response>;
}

/**
 * Creates a function that sends an operation to a Yoga server by POST, without a listener.
 *
 * @example const { status, body } = await createSender(yoga)('{ secret }')
 */
export function createSender(yoga: FetchServer) {
  /** @param members more members of the request's JSON, such as `variables` */
  return async function send(query: string, members: object = {}): Promise<OperationResponse> {
    const response = await yoga.fetch('http://yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, ...members }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}
