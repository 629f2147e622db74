// Sends one query over open connections, with little work per request: server and load share the cores.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Load {
  /** Sends a number of requests; each connection sends the next when it has the response to the last. */
  send(requests: number): Promise<void>;
  close(): void;
}

const BODY = JSON.stringify({ query: '{ secureData { message } }' });
const EXPECTED = '{"data":{"secureData":{"message":"Secure data access granted"}}}';
const END_OF_HEAD = '\r\n\r\n';

/** @param tokens sent in turn, one per request */
export async function openLoad(port: number, tokens: readonly string[], connections: number): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  let sent = 0;

  async function sendOn(socket: Socket, takeNext: () => boolean): Promise<void> {
    while (takeNext()) {
      const token = tokens[sent % tokens.length] ?? '';
      sent += 1;
      const response = readResponse(socket);
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\ncontent-length: ${BODY.length}${END_OF_HEAD}${BODY}`,
        'latin1',
      );
      await response;
    }
  }

  return {
    async send(requests) {
      let left = requests;
      const takeNext = () => left-- > 0;
      await Promise.all(sockets.map((socket) => sendOn(socket, takeNext)));
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1').setNoDelay();
  await once(socket, 'connect');
  return socket;
}

/** @throws Error unless the response is that for a valid token */
function readResponse(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  const finish = (error?: Error) => {
    socket.off('data', read).off('close', closed);
    if (error) reject(error);
    else resolve();
  };
  const closed = () => finish(new Error('The server closed the connection'));
  const read = (chunk: string) => {
    text += chunk;
    const headEnds = text.indexOf(END_OF_HEAD);
    if (headEnds < 0) return;
    const bodyBegins = headEnds + END_OF_HEAD.length;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, headEnds))?.[1]);
    if (text.length < bodyBegins + length) return;
    const isGood = text.startsWith('HTTP/1.1 200') && text.slice(bodyBegins) === EXPECTED;
    finish(isGood ? undefined : new Error(`Unexpected response: ${text}`));
  };
  socket.on('data', read).on('close', closed);
  if (socket.destroyed) closed();
  return promise;
}
