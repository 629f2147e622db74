// Clients that must read answers to go on: each on a connection of its own.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { json } from 'node:stream/consumers';

export interface Client {
  ask(query: string, variables?: object, token?: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answers
  body: any;
}

export function createClient(port: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async ask(query, variables, token) {
      const body = JSON.stringify({ query, variables });
      const sent = request({
        agent,
        port,
        host: '127.0.0.1',
        path: '/graphql',
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      }).end(body);
      const [response] = await once(sent, 'response');
      return { status: response.statusCode, body: await json(response) };
    },
    close: () => agent.destroy(),
  };
}
