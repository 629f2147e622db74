// The test kit: runs operations as any user, with the server's guard, context and errors, without HTTP and a store.
import type { GraphQLSchema } from 'graphql';
import type { Accounts } from '../accounts/accounts.ts';
import { findEnforced } from '../authorization/enforce-schema.ts';
import { createGuard } from '../authorization/guard.ts';
import type { GuardOptions } from '../authorization/guard-options.ts';
import type { TokenProblem } from '../errors.ts';
import type { SchemaExtension } from '../graphql/create-schema.ts';
import { type OperationLimits, resolveOperationLimits } from '../http/limits/operation-limits.ts';
import type { User } from '../storage/store.ts';
import type { Authentication } from '../tokens/authenticate.ts';
import type { Principal } from '../tokens/principal.ts';
import { buildSchema } from './build-schema.ts';
import { createClock, type ObservableClock, type TestClock } from './clock.ts';
import { createAccount, type PrincipalSpec, toPrincipal } from './create-principal.ts';
import { createRunner } from './create-runner.ts';
import { createMatrices, type Matrices, type MatrixPrincipal } from './matrix.ts';
import { createAccountReader, createStubAccounts } from './stub-accounts.ts';
import { createUserFactory, type TestUser } from './test-user.ts';

/** The schema under test: an executable schema, or `typeDefs` and `resolvers` as in `createBandha`. */
export type TestedSchema = { schema: GraphQLSchema } | (SchemaExtension & { schema?: undefined });

/** Options of `createTestKit`, with the names and defaults of `createBandha`. */
export interface TestKitOptions extends Omit<GuardOptions, 'now' | 'watchSession'> {
  /**
   * Context of the app's resolvers and policies: an object, or a function of the principal. `principal` and `tokenProblem` are
   * added and cannot be replaced.
   * @default {}
   */
  context?: object | ((principal: Principal | null) => object | Promise<object>);
  /**
   * Methods that replace those of Bandha's accounts, for tests of fields such as `sessions`. Calling a method that is missing
   * throws a `ConfigError` that explains what to do.
   * @default {}
   */
  accounts?: Partial<Accounts>;
  /**
   * `closed` removes `register` from Bandha's schema.
   * @default 'open'
   */
  signup?: 'open' | 'closed';
  /** Limits of one operation. @default those of `createBandha` */
  operationLimits?: OperationLimits;
}

/** Reasons for rejecting a token, by condition. */
const TOKEN_PROBLEMS = {
  expired: 'TOKEN_EXPIRED',
  revoked: 'TOKEN_REVOKED',
  forged: 'TOKEN_INVALID',
  malformed: 'TOKEN_MALFORMED',
  /** The keys to verify the token are unavailable. */
  unavailable: 'KEYS_UNAVAILABLE',
  /** The server cannot determine whether the session was revoked. */
  unchecked: 'REVOCATIONS_UNAVAILABLE',
} as const satisfies Record<string, TokenProblem>;

/** Condition of a token that the server rejects; `unavailable`: signing keys, `unchecked`: revocations. */
export type TokenCondition = keyof typeof TOKEN_PROBLEMS;

/** Runs operations as any user, and shows decisions as tables. */
export interface TestKit extends Matrices {
  /**
   * Creates a signed-in user.
   *
   * @param spec roles, scopes and more; by default a user without roles and scopes who signed in just now
   * @throws TypeError if no token can describe this user, or a key is misspelled
   * @example const accountant = kit.as({ userId: 'ada', roles: ['accountant'] })
   */
  as(spec?: PrincipalSpec): TestUser;
  /** A caller without a token. */
  anonymous: TestUser;
  /**
   * Creates a caller whose token is rejected.
   *
   * @throws TypeError if the condition is unknown
   * @example expect(await kit.withToken('expired').execute('{ payroll }')).toBeDenied('TOKEN_EXPIRED')
   */
  withToken(condition: TokenCondition): TestUser;
  /** Time of all decisions; moves only when a test moves it. */
  clock: TestClock;
}

/**
 * Creates a test kit. Types that define `Query` are a standalone schema; other types extend Bandha's schema.
 *
 * @throws ConfigError if an access directive is invalid or names an unknown policy, or an option is invalid
 * @example const kit = createTestKit({ typeDefs, resolvers }, { policies })
 */
export function createTestKit(tested: TestedSchema, options: TestKitOptions = {}): TestKit {
  const {
    context = {},
    accounts,
    signup = 'open',
    introspection = 'permitted',
    operationLimits,
    ...decisions
  } = options;
  const limits = resolveOperationLimits(operationLimits);
  const clock = createClock();
  const users = new WeakMap<Principal, User>();
  const guardOptions: GuardOptions = {
    ...decisions,
    introspection,
    now: () => clock.now,
    watchSession: watchExpiry(clock),
  };
  const kitAccounts = createStubAccounts(accounts ?? {});
  const schema =
    tested.schema ??
    buildSchema({
      ...tested,
      signup,
      accounts: kitAccounts,
      readAccount: createAccountReader(accounts ?? {}, (principal) => users.get(principal)),
    });
  const guard = createGuard(guardOptions);
  // A schema that another guard has enforced uses that guard's clock and policies, so its original is enforced again.
  const { original, enforced } = guard.protect(findEnforced(schema)?.original ?? schema);
  const createContext = ({ principal }: Authentication) =>
    typeof context === 'function' ? context(principal) : context;
  const run = createRunner(enforced, { guard, limits, createContext });
  const createUser = createUserFactory(run, enforced);
  const authentications = new WeakMap<TestUser, () => Authentication>();

  function registerUser(getAuthentication: () => Authentication): TestUser {
    const user = createUser(getAuthentication);
    authentications.set(user, getAuthentication);
    return user;
  }

  function as(spec: PrincipalSpec = {}): TestUser {
    const principal = toPrincipal(spec, clock.now);
    users.set(principal, createAccount(principal, spec.user));
    return registerUser(() => authenticate(principal, clock.now));
  }

  const anonymous = registerUser(() => ({ principal: null, problem: undefined }));

  function toCaller(principal: MatrixPrincipal): Authentication {
    if (principal === null) return { principal: null, problem: undefined };
    if ('execute' in principal) {
      const authentication = authentications.get(principal)?.();
      if (authentication === undefined)
        throw new TypeError('matrix: a user belongs to another test kit; create it with this one');
      return authentication;
    }
    return authenticate(toPrincipal(principal, clock.now), clock.now);
  }

  return {
    as,
    anonymous,
    withToken(condition) {
      if (!Object.hasOwn(TOKEN_PROBLEMS, condition)) {
        throw new TypeError(`withToken: must be one of ${Object.keys(TOKEN_PROBLEMS).join(', ')}`);
      }
      return registerUser(() => ({ principal: null, problem: TOKEN_PROBLEMS[condition] }));
    },
    clock,
    ...createMatrices({ original, guard, guardOptions, createContext, toCaller, now: () => clock.now }),
  };
}

function authenticate(principal: Principal, now: Date): Authentication {
  return hasExpired(principal, now)
    ? { principal: null, problem: 'TOKEN_EXPIRED' }
    : { principal, problem: undefined };
}

function hasExpired({ claims: { exp } }: Principal, now: Date): boolean {
  return exp !== undefined && now.getTime() >= exp * 1000;
}

/** Ends a subscription when the clock reaches the expiry of its token. */
function watchExpiry(clock: ObservableClock): GuardOptions['watchSession'] {
  return (principal, onEnd) =>
    clock.watch(() => {
      if (hasExpired(principal, clock.now)) onEnd('TOKEN_EXPIRED');
    });
}
