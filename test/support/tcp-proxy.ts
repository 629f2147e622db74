// A way to a server that can go silent: connections stay open, and nothing comes through any more.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** The same URL, by way of the proxy. */
  urlOf(url: string): string;
  /** From now on nothing is forwarded. Nobody is told: new connections are accepted too. */
  fallSilent(): void;
  /** Forwards new connections. Those from before stay silent for ever. */
  forward(): void;
  /** Cuts what there is; from now on there is the server on another port behind it. */
  switchTo(port: number): void;
  /** How many connections there have been. */
  connections(): number;
  close(): Promise<void>;
}

/** Stands before the server on `firstPort` of this machine. */
export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  const links = new Set<{ sockets: readonly Socket[]; isSilent: boolean }>();
  let port = firstPort;
  let isSilent = false;
  let connections = 0;

  // Half open, so that a silent link does not even answer a goodbye.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const link = { sockets: [near, far], isSilent };
    links.add(link);
    connections += 1;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!link.isSilent) to.write(chunk);
      });
      from.on('end', () => {
        if (!link.isSilent) to.end();
      });
      from.on('error', () => {}); // `close` follows
      from.on('close', () => {
        // Whoever is at the end of a silent link does not hear that the server is gone.
        if (from === near || !link.isSilent) to.destroy();
        if (link.sockets.every((socket) => socket.destroyed)) links.delete(link);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // a TCP server that listens has one
  const cut = () => {
    for (const socket of [...links].flatMap(({ sockets }) => sockets)) socket.destroy();
  };

  return {
    urlOf(url) {
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(address.port);
      return through.href;
    },
    fallSilent() {
      isSilent = true;
      for (const link of links) link.isSilent = true;
    },
    forward() {
      isSilent = false;
    },
    switchTo(another) {
      port = another;
      cut();
    },
    connections: () => connections,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
