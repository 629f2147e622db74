// Sends one query over connections that stay open, with as little work as possible: the cores are shared.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Load {
  /** Sends so many requests, the next on a connection as soon as the one before is answered. */
  send(requests: number): Promise<void>;
  close(): void;
}

const BODY = JSON.stringify({ query: '{ secureData { message } }' });
const EXPECTED = '{"data":{"secureData":{"message":"Secure data access granted"}}}';
const END_OF_HEAD = '\r\n\r\n';

/** @param tokens in turn, one a request */
export async function openLoad(port: number, tokens: readonly string[], connections: number): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  let sent = 0;

  async function sendOn(socket: Socket, takeTurn: () => boolean): Promise<void> {
    while (takeTurn()) {
      const token = tokens[sent % tokens.length] ?? '';
      sent += 1;
      const answered = readAnswer(socket);
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\ncontent-length: ${BODY.length}${END_OF_HEAD}${BODY}`,
        'latin1',
      );
      await answered;
    }
  }

  return {
    async send(requests) {
      let left = requests;
      const takeTurn = () => left-- > 0;
      await Promise.all(sockets.map((socket) => sendOn(socket, takeTurn)));
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

/** @throws Error where it is not the one that a valid token gets */
function readAnswer(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  const finish = (error?: Error) => {
    socket.off('data', read).off('close', closed);
    if (error) reject(error);
    else resolve();
  };
  const closed = () => finish(new Error('The connection was closed'));
  const read = (chunk: string) => {
    text += chunk;
    const headEnds = text.indexOf(END_OF_HEAD);
    if (headEnds < 0) return;
    const bodyBegins = headEnds + END_OF_HEAD.length;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, headEnds))?.[1]);
    if (text.length < bodyBegins + length) return;
    const isGood = text.startsWith('HTTP/1.1 200') && text.slice(bodyBegins) === EXPECTED;
    finish(isGood ? undefined : new Error(`Unexpected answer: ${text}`));
  };
  socket.on('data', read).on('close', closed);
  if (socket.destroyed) closed();
  return promise;
}
