// Sends HTTP requests and GraphQL operations over connections that are kept open.
import { once } from 'node:events';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RequestOptions {
  agent?: Agent;
  headers?: OutgoingHttpHeaders;
  /** Makes it a POST request. */
  body?: string;
}

export interface HttpResponse {
  status: number;
  text: string;
  /** Bytes received over the connection so far, heads included. */
  connectionBytes: number;
  ms: number;
}

export interface Client {
  send(query: string, variables?: object, token?: string): Promise<GraphqlResponse>;
  close(): void;
}

export interface GraphqlResponse {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the operation
  body: any;
}

export interface ClientOptions {
  /** @default 1, for operations that depend on each other */
  maxConnections?: number;
  localAddress?: string;
  headers?: OutgoingHttpHeaders;
}

export const JSON_TYPE = { 'content-type': 'application/json' };

export async function send(
  url: string,
  { agent, body, headers = {} }: RequestOptions = {},
): Promise<HttpResponse> {
  const startedAt = performance.now();
  const method = body === undefined ? 'GET' : 'POST';
  const sent = request(url, { agent, method, headers }).end(body);
  const [response] = await once(sent, 'response');
  const { socket } = response; // removed from the response at its end
  const received = await text(response);
  return {
    status: response.statusCode,
    text: received,
    connectionBytes: socket.bytesRead,
    ms: performance.now() - startedAt,
  };
}

/** @param origin for example `http://127.0.0.1:4000` */
export function createClient(origin: string, options: ClientOptions = {}): Client {
  const { maxConnections = 1, localAddress, headers } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections, localAddress });
  return {
    async send(query, variables, token) {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { status, text } = await send(`${origin}/graphql`, {
        agent,
        headers: { ...JSON_TYPE, ...authorization, ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return { status, body: JSON.parse(text) };
    },
    close: () => agent.destroy(),
  };
}
