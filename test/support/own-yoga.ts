// Creates a Bandha and serves it over HTTP: with its own listener, and with an application's Yoga server.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga, type Plugin } from 'graphql-yoga';
import { type Bandha, type BandhaOptions, createBandha, createListener } from '../../src/bandha.ts';
import { silentLog } from '../../src/utils/log.ts';
import { TEST_SECRET } from './test-server.ts';

export interface Listening {
  port: number;
  url: string;
  close(): void;
}

/** Serves `listener` on a free port of the loopback address. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export const createTestBandha = (options: BandhaOptions = {}) =>
  createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET, log: silentLog, ...options });

/** An application's Yoga server with the schema and the plugins of `bandha`. */
export function createOwnYoga(bandha: Bandha, options: Parameters<typeof createYoga>[0] = {}) {
  return createYoga({
    schema: bandha.schema,
    logging: false,
    ...options,
    plugins: [...bandha.plugins, ...((options.plugins ?? []) as Plugin[])], // their contexts differ in type alone
  });
}

/** All kinds of listeners by name. A hook in the last one disables the fast path. */
export const LISTENERS: Readonly<Record<string, (bandha: Bandha) => RequestListener>> = {
  'bandha.listener': (bandha) => bandha.listener,
  createListener: (bandha) => createListener(createOwnYoga(bandha), bandha),
  'createListener without the fast path': (bandha) =>
    createListener(createOwnYoga(bandha, { plugins: [{ onRequest() {} }] }), bandha),
};
