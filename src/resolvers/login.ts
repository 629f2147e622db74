// Mutation.login
import type { Accounts } from '../accounts/accounts.ts';
import { toAuthPayload } from './auth-payload.ts';
import type { GetClientInfo } from './client-info.ts';
import type { ResolverContext } from './resolvers.ts';

export const login =
  (accounts: Accounts, getClientInfo: GetClientInfo) =>
  async (_: unknown, { email, password }: { email: string; password: string }, context: ResolverContext) =>
    toAuthPayload(await accounts.logIn({ email, password }, getClientInfo(context)));
