// Bandha's own fields where there is no store: the caller's account is the one that the test describes.
import type { Accounts } from '../accounts/accounts.ts';
import { ConfigError } from '../errors.ts';
import type { AppResolvers } from '../graphql/create-schema.ts';
import { createReadOnce } from '../graphql/read-once.ts';
import { secureData, viewer } from '../graphql/resolvers.ts';
import type { User } from '../storage/store.ts';
import type { Principal } from '../tokens/principal.ts';

/** A test came to what only a store can do. */
export class StoreNeededError extends ConfigError {}

/** The accounts that are given; the rest say what to do when they are asked. */
export function createKitAccounts(given: Partial<Accounts>): Accounts {
  const missing = (verb: keyof Accounts) => () => {
    throw new StoreNeededError([
      `accounts.${verb}: the test kit has no store. Give createTestKit an \`accounts\` that has it, or test with createBandha({ databaseUrl: 'sqlite::memory:' })`,
    ]);
  };
  return {
    register: missing('register'),
    logIn: missing('logIn'),
    refresh: missing('refresh'),
    logOut: missing('logOut'),
    endSession: missing('endSession'),
    endAllSessions: missing('endAllSessions'),
    listSessions: missing('listSessions'),
    findAccount: missing('findAccount'),
    ...given,
  };
}

/** `viewer` and `secureData`, which need no more than the account of whoever asks. */
export function createKitResolvers(
  given: Partial<Accounts>,
  accountOf: (principal: Principal) => User | undefined,
): AppResolvers {
  const readAccount = createReadOnce(async (principal) =>
    given.findAccount === undefined ? accountOf(principal) : given.findAccount(principal.userId),
  );
  return { Query: { viewer: viewer(readAccount), secureData: secureData(readAccount) } };
}
