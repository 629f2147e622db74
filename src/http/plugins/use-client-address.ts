// Reads the peer's address when a request begins.
import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';

/**
 * Node keeps the address of a socket from the first time that it is read; of one that has been closed in between there is
 * none, and a caller who goes away early would escape the limits by network.
 */
export function readPeerAddress(req: Pick<IncomingMessage, 'socket'> | undefined): string | undefined {
  return req?.socket?.remoteAddress;
}

export function useClientAddress(): Plugin {
  return {
    onRequest({ serverContext }) {
      readPeerAddress((serverContext as { req?: IncomingMessage } | undefined)?.req); // there on Node
    },
  };
}
