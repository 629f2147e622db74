// A TCP proxy that can go silent: connections stay open, but nothing is forwarded.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** @returns the URL with the proxy's host and port */
  toProxyUrl(url: string): string;
  /** Stops forwarding without closing anything. New connections are accepted, but silent as well. */
  goSilent(): void;
  /** Forwards new connections again. Silent ones stay silent. */
  forward(): void;
  /** Closes all connections, and forwards new ones to another port. */
  switchTo(port: number): void;
  /** @returns how many connections have been accepted so far */
  connections(): number;
  close(): Promise<void>;
}

/** Starts a proxy in front of the server on `firstPort` of this machine. */
export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  const links = new Set<{ sockets: readonly Socket[]; isSilent: boolean }>();
  let port = firstPort;
  let isSilent = false;
  let connections = 0;

  // Half-open, so that a silent connection does not acknowledge an end either.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const link = { sockets: [client, upstream], isSilent };
    links.add(link);
    connections += 1;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk) => {
        if (!link.isSilent) to.write(chunk);
      });
      from.on('end', () => {
        if (!link.isSilent) to.end();
      });
      from.on('error', () => {}); // `close` follows
      from.on('close', () => {
        // On a silent connection, the client is not informed when the server closes.
        if (from === client || !link.isSilent) to.destroy();
        if (link.sockets.every((socket) => socket.destroyed)) links.delete(link);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // a listening TCP server has one
  const closeAll = () => {
    for (const socket of [...links].flatMap(({ sockets }) => sockets)) socket.destroy();
  };

  return {
    toProxyUrl(url) {
      const proxied = new URL(url);
      proxied.hostname = '127.0.0.1';
      proxied.port = String(address.port);
      return proxied.href;
    },
    goSilent() {
      isSilent = true;
      for (const link of links) link.isSilent = true;
    },
    forward() {
      isSilent = false;
    },
    switchTo(newPort) {
      port = newPort;
      closeAll();
    },
    connections: () => connections,
    async close() {
      closeAll();
      server.close();
      await once(server, 'close');
    },
  };
}
