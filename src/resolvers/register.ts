// Mutation.register
import type { Accounts } from '../accounts/accounts.ts';
import { toAuthPayload } from './auth-payload.ts';
import type { GetClientInfo } from './client-info.ts';
import type { ResolverContext } from './resolvers.ts';

export const register =
  (accounts: Accounts, getClientInfo: GetClientInfo) =>
  async (_: unknown, { email, password }: { email: string; password: string }, context: ResolverContext) =>
    toAuthPayload(await accounts.register({ email, password }, getClientInfo(context)));
