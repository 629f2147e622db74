// Clients that no server likes: idle by the thousand, gone in the middle, slow to write, never reading.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const AT_ONCE = 250;
/** So many of each kind are there at any time. */
const OF_EACH_KIND = 4;
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

/** Each has been answered once, and then says no more. */
export async function openIdleConnections(port: number, count: number): Promise<IdleConnections> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      talk(port, REQUEST),
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

/** Resolves when something has come back. */
async function talk(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'data');
  return socket;
}

/** Each resolves when the client has gone. */
const KINDS: readonly ((port: number) => Promise<void>)[] = [
  async function goesAwayInTheBody(port) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(REQUEST.slice(0, -5), () => socket.destroy());
    await once(socket, 'close');
  },
  async function goesAwayBeforeTheAnswer(port) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(REQUEST, () => socket.resetAndDestroy());
    await once(socket, 'close');
  },
  async function writesByteByByte(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
    await once(socket, 'connect');
    const answered = once(socket, 'data');
    for (const byte of REQUEST) await new Promise((written) => socket.write(byte, written));
    await answered;
    socket.destroy();
  },
  async function neverReads(port) {
    const socket = connect(port, '127.0.0.1')
      .on('error', () => {})
      .pause();
    await once(socket, 'connect');
    await new Promise((written) => socket.write(REQUEST.repeat(UNREAD_REQUESTS), written));
    socket.destroy();
    await once(socket, 'close');
  },
];

export interface BadCompany {
  /** @returns how many clients there were */
  leave(): Promise<number>;
}

/** Some clients of each kind at any time, each followed by the next of its kind. */
export function keepBadCompany(port: number): BadCompany {
  let isLeaving = false;
  let count = 0;
  const all = KINDS.flatMap((kind) =>
    Array.from({ length: OF_EACH_KIND }, async () => {
      while (!isLeaving) {
        await kind(port);
        count += 1;
      }
    }),
  );
  return {
    async leave() {
      isLeaving = true;
      await Promise.all(all);
      return count;
    },
  };
}
