// Where a request comes from, out of what Yoga's context holds.
import type { IncomingMessage } from 'node:http';
import type { ClientInfo } from '../accounts/accounts.ts';
import type { ResolverContext } from './resolvers.ts';

/** The peer's address is the socket's: a header such as `X-Forwarded-For` can say anything. */
export function clientInfo(context: ResolverContext & { req?: IncomingMessage }): ClientInfo {
  return {
    userAgent: context.request.headers.get('user-agent') ?? undefined,
    ipAddress: context.req?.socket.remoteAddress,
  };
}
