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
export function createStubAccounts(given: Partial<Accounts>): Accounts {
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
    revokeSession: missing('revokeSession'),
    revokeAllSessions: missing('revokeAllSessions'),
    listSessions: missing('listSessions'),
    findUser: missing('findUser'),
    ...given,
  };
}

/** `viewer` and `secureData`, which need no more than the account of whoever asks. */
export function createStubResolvers(
  given: Partial<Accounts>,
  accountOf: (principal: Principal) => User | undefined,
): AppResolvers {
  const readAccount = createReadOnce(async (principal) =>
    given.findUser === undefined ? accountOf(principal) : given.findUser(principal.userId),
  );
  return { Query: { viewer: viewer(readAccount), secureData: secureData(readAccount) } };
}
