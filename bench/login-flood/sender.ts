// Sends sign-ins over connections that are kept open.
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface SenderOptions {
  url: string;
  localAddress: string;
  headers: Record<string, string>;
}

export function createSender({ url, localAddress, headers }: SenderOptions) {
  const agent = new Agent({ keepAlive: true, localAddress });
  return {
    /** @returns `OK`, the code of the answer's error, or that of the connection's */
    send(name: 'login' | 'register', variables: { email: string; password: string }): Promise<string> {
      const query = `mutation ($email: String!, $password: String!) { ${name}(email: $email, password: $password) { tokenType } }`;
      return new Promise((resolve) => {
        const sent = request(`${url}/graphql`, {
          agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
        });
        sent.on('response', async (response) => {
          const { data, errors } = JSON.parse(await text(response));
          resolve(data ? 'OK' : errors[0].extensions.code);
        });
        sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        sent.end(JSON.stringify({ query, variables }));
      });
    },
    close: () => agent.destroy(),
  };
}
