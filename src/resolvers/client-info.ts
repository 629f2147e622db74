// Where a request comes from, out of what Yoga's context holds.
import type { IncomingMessage } from 'node:http';
import type { ClientInfo } from '../accounts/accounts.ts';
import type { FindClientAddress } from '../rate-limits/client-address.ts';
import type { ResolverContext } from './resolvers.ts';

export type GetClientInfo = (context: ResolverContext) => ClientInfo;

/** What servers put into the context: some of it over HTTP, and only `req` for an operation over a WebSocket. */
interface Origin {
  request?: Pick<Request, 'headers'>;
  req?: Pick<IncomingMessage, 'headers' | 'socket'>;
}

export function createClientInfo(findAddress: FindClientAddress): GetClientInfo {
  return ({ request, req }: Origin) => {
    const header = (name: string) => request?.headers.get(name) ?? req?.headers?.[name]?.toString();
    return {
      userAgent: header('user-agent'),
      ...findAddress(req?.socket?.remoteAddress, header('x-forwarded-for')),
    };
  };
}
