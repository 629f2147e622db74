// Mutation.login
import type { Accounts } from '../accounts/accounts.ts';
import { toAuthPayload } from './auth-payload.ts';
import { clientInfo } from './client-info.ts';
import type { ResolverContext } from './resolvers.ts';

export const login =
  (accounts: Accounts) =>
  async (_: unknown, { email, password }: { email: string; password: string }, context: ResolverContext) =>
    toAuthPayload(await accounts.logIn({ email, password }, clientInfo(context)));
