// Simulates clients that misbehave: idle by the thousand, disconnecting early, writing slowly, never reading.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Number of connections to open at the same time. */
const BATCH_SIZE = 250;
/** Number of clients of each kind that are active at the same time. */
const CLIENTS_PER_KIND = 4;
const UNREAD_REQUESTS = 200;

const BODY = '{"query":"{ viewer { id } }"}';
const HEAD = [
  'POST /graphql HTTP/1.1',
  'Host: localhost',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
].join('\r\n');
const REQUEST = `${HEAD}\r\n\r\n${BODY}`;

export interface IdleConnections {
  count: number;
  close(): void;
}

/** Opens connections that send one request each, receive the response and then stay idle. */
export async function openIdleConnections(port: number, count: number): Promise<IdleConnections> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH_SIZE, count - sockets.length) }, () =>
      sendAndWait(port, REQUEST),
    );
    for (const socket of batch) sockets.push(await socket);
  }
  return {
    count,
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Resolves when the first bytes of the response have arrived. */
async function sendAndWait(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'data');
  return socket;
}

/** One client per kind. Each promise resolves when the client has disconnected. */
const KINDS: readonly ((port: number) => Promise<void>)[] = [
  async function disconnectDuringBody(port) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(REQUEST.slice(0, -5), () => socket.destroy());
    await once(socket, 'close');
  },
  async function disconnectBeforeResponse(port) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(REQUEST, () => socket.resetAndDestroy());
    await once(socket, 'close');
  },
  async function writeByteByByte(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
    await once(socket, 'connect');
    const responded = once(socket, 'data');
    for (const byte of REQUEST) await new Promise((written) => socket.write(byte, written));
    await responded;
    socket.destroy();
  },
  async function neverRead(port) {
    const socket = connect(port, '127.0.0.1')
      .on('error', () => {})
      .pause();
    await once(socket, 'connect');
    await new Promise((written) => socket.write(REQUEST.repeat(UNREAD_REQUESTS), written));
    socket.destroy();
    await once(socket, 'close');
  },
];

export interface BadClients {
  /** Stops the clients. @returns how many there were */
  stop(): Promise<number>;
}

/** Runs several clients of each kind until it is stopped. Each client is followed by the next of its kind. */
export function startBadClients(port: number): BadClients {
  let isStopping = false;
  let count = 0;
  const all = KINDS.flatMap((kind) =>
    Array.from({ length: CLIENTS_PER_KIND }, async () => {
      while (!isStopping) {
        await kind(port);
        count += 1;
      }
    }),
  );
  return {
    async stop() {
      isStopping = true;
      await Promise.all(all);
      return count;
    },
  };
}
