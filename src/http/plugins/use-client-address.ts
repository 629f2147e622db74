// Reads the address of the client's socket when a request begins.
import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';

/**
 * Node caches the address of a socket when it is first read; after the socket has closed, it is undefined. Without the early
 * read, a client that disconnects early would escape the rate limits by network.
 */
export function readPeerAddress(req: Pick<IncomingMessage, 'socket'> | undefined): string | undefined {
  return req?.socket?.remoteAddress;
}

/** Reads the address of every request, so that later code finds it cached. */
export function useClientAddress(): Plugin {
  return {
    onRequest({ serverContext }) {
      readPeerAddress((serverContext as { req?: IncomingMessage } | undefined)?.req); // present if Node serves
    },
  };
}
