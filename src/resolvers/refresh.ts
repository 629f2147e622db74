// Mutation.refresh
import type { Accounts } from '../accounts/accounts.ts';
import { toAuthPayload } from './auth-payload.ts';

export const refresh =
  (accounts: Accounts) =>
  async (_: unknown, { refreshToken }: { refreshToken: string }) =>
    toAuthPayload(await accounts.refresh(refreshToken));
