// Replaces Bandha's accounts in tests without a store: the caller's account is the one that the test describes.
import type { Accounts } from '../accounts/accounts.ts';
import { ConfigError } from '../errors.ts';
import { createReadOnce, type ReadOnce } from '../graphql/read-once.ts';
import type { User } from '../storage/store.ts';
import type { Principal } from '../tokens/principal.ts';

/** Thrown if a test calls a method that needs a store. */
export class StoreNeededError extends ConfigError {}

/**
 * @returns the given methods; every other method throws a `StoreNeededError`
 * @throws ConfigError naming each key that is not a method of `Accounts`, and each value that is not a function
 */
export function createStubAccounts(overrides: Partial<Accounts>): Accounts {
  const missing = (method: keyof Accounts) => () => {
    throw new StoreNeededError([
      `accounts.${method}: the test kit has no store. Pass this method in the option \`accounts\` of createTestKit, or test with createBandha({ databaseUrl: 'sqlite::memory:' })`,
    ]);
  };
  const stubs: Accounts = {
    register: missing('register'),
    logIn: missing('logIn'),
    refresh: missing('refresh'),
    logOut: missing('logOut'),
    revokeSession: missing('revokeSession'),
    revokeAllSessions: missing('revokeAllSessions'),
    listSessions: missing('listSessions'),
    findUser: missing('findUser'),
  };
  const issues = Object.entries(overrides).flatMap(([name, method]) => {
    if (!Object.hasOwn(stubs, name)) {
      return [
        `accounts.${name}: is not an account function; the functions are ${Object.keys(stubs).join(', ')}`,
      ];
    }
    return typeof method === 'function' ? [] : [`accounts.${name}: must be a function`];
  });
  if (issues.length > 0) throw new ConfigError(issues);
  return { ...stubs, ...overrides };
}

/** Reads the caller's account from `overrides` or, without `findUser`, from the principals of the test. */
export function createAccountReader(
  overrides: Partial<Accounts>,
  findAccount: (principal: Principal) => User | undefined,
): ReadOnce<User | undefined> {
  return createReadOnce(async (principal) =>
    overrides.findUser === undefined ? findAccount(principal) : overrides.findUser(principal.userId),
  );
}
