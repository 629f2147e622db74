// Where a request comes from, out of what Yoga's context holds.
import type { ClientInfo } from '../accounts/accounts.ts';
import type { FindClientAddress } from '../rate-limits/client-address.ts';
import { findHeader, findIncomingMessage } from '../utils/request-headers.ts';
import type { ResolverContext } from './resolvers.ts';

export type GetClientInfo = (context: ResolverContext) => ClientInfo;

export function createClientInfo(findAddress: FindClientAddress): GetClientInfo {
  return (context) => ({
    userAgent: findHeader(context, 'user-agent'),
    ...findAddress(
      findIncomingMessage(context)?.socket?.remoteAddress,
      findHeader(context, 'x-forwarded-for'),
    ),
  });
}
