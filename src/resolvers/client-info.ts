// Where a request comes from, out of what Yoga's context holds.
import type { IncomingMessage } from 'node:http';
import type { ClientInfo } from '../accounts/accounts.ts';
import type { FindClientAddress } from '../rate-limits/client-address.ts';
import type { ResolverContext } from './resolvers.ts';

export type GetClientInfo = (context: ResolverContext) => ClientInfo;

export function createClientInfo(findAddress: FindClientAddress): GetClientInfo {
  return (context: ResolverContext & { req?: IncomingMessage }) => {
    const { headers } = context.request;
    return {
      userAgent: headers.get('user-agent') ?? undefined,
      ...findAddress(context.req?.socket?.remoteAddress, headers.get('x-forwarded-for')),
    };
  };
}
