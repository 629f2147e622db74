// A schema as any user: the server's own guard, context and answers, without HTTP and without a store.
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
import { createRunner } from './create-runner.ts';
import { makeAccount, makePrincipal, type PrincipalSpec } from './make-principal.ts';
import { createMatrices, type Matrices, type MatrixPrincipal } from './matrix.ts';
import { createStubAccounts, createStubResolvers } from './stub-accounts.ts';
import { createUserFactory, type TestUser } from './test-user.ts';

/** What is tested: an executable schema, or types and resolvers as `createBandha` takes them. */
export type TestedSchema = { schema: GraphQLSchema } | (SchemaExtension & { schema?: undefined });

/** Named as in `createBandha` and `useGuard`; `introspection` is `permitted` unless told, as in `createBandha`. */
export interface TestKitOptions extends Omit<GuardOptions, 'now' | 'watchSession'> {
  /** What the app's resolvers and policies find in their context, for everybody or by principal. */
  context?: object | ((principal: Principal | null) => object | Promise<object>);
  /** What stands in for the accounts, where types go on top of Bandha's; without, their verbs say what to do. */
  accounts?: Partial<Accounts>;
  /** `closed` leaves `register` out of Bandha's schema. */
  signup?: 'open' | 'closed';
  /** What one operation may cost, as in `createBandha`. */
  operationLimits?: OperationLimits;
}

/** What can be wrong with a token, and the reason that the refusal then has. */
const TOKEN_PROBLEMS = {
  expired: 'TOKEN_EXPIRED',
  revoked: 'TOKEN_REVOKED',
  forged: 'TOKEN_INVALID',
  malformed: 'TOKEN_MALFORMED',
  /** The keys to verify it cannot be had. */
  unavailable: 'KEYS_UNAVAILABLE',
  /** Whether its session has ended cannot be found out. */
  unchecked: 'REVOCATIONS_UNAVAILABLE',
} as const satisfies Record<string, TokenProblem>;

export type TokenCondition = keyof typeof TOKEN_PROBLEMS;

export interface TestKit extends Matrices {
  /** A signed-in user; without a spec, one without roles and scopes. */
  as(spec?: PrincipalSpec): TestUser;
  /** Somebody without a token. */
  anonymous: TestUser;
  /** Somebody whose token is not accepted. */
  withToken(condition: TokenCondition): TestUser;
  /** Stands still until it is moved. */
  clock: TestClock;
}

/**
 * Builds the kit. Types without a `Query` of their own go on top of Bandha's schema.
 * @throws ConfigError where a directive makes no rule, names an unknown policy, or an option is none of its choices
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
      kitResolvers: createStubResolvers(accounts ?? {}, (principal) => users.get(principal)),
    });
  const guard = createGuard(guardOptions);
  // One that is enforced already has the clock and the policies of another guard.
  const { original, enforced } = guard.protect(findEnforced(schema)?.original ?? schema);
  const contextOf = ({ principal }: Authentication) =>
    typeof context === 'function' ? context(principal) : context;
  const run = createRunner(enforced, { guard, limits, contextOf });
  const createUser = createUserFactory(run, enforced);
  const authentications = new WeakMap<TestUser, () => Authentication>();

  function userOf(authentication: () => Authentication): TestUser {
    const user = createUser(authentication);
    authentications.set(user, authentication);
    return user;
  }

  function as(spec: PrincipalSpec = {}): TestUser {
    const principal = makePrincipal(spec, clock.now);
    users.set(principal, makeAccount(principal, spec.user));
    return userOf(() => authenticate(principal, clock.now));
  }

  const anonymous = userOf(() => ({ principal: null, problem: undefined }));

  function callerOf(given: MatrixPrincipal): Authentication {
    if (given === null) return { principal: null, problem: undefined };
    if ('execute' in given) {
      const authentication = authentications.get(given)?.();
      if (authentication === undefined)
        throw new TypeError('A principal of the matrix is of another test kit');
      return authentication;
    }
    return authenticate(makePrincipal(given, clock.now), clock.now);
  }

  return {
    as,
    anonymous,
    withToken(condition) {
      if (!Object.hasOwn(TOKEN_PROBLEMS, condition)) {
        throw new TypeError(`withToken: must be one of ${Object.keys(TOKEN_PROBLEMS).join(', ')}`);
      }
      return userOf(() => ({ principal: null, problem: TOKEN_PROBLEMS[condition] }));
    },
    clock,
    ...createMatrices({ original, guard, guardOptions, contextOf, callerOf, now: () => clock.now }),
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

/** A subscription ends when the clock is moved beyond its token's expiry. */
function watchExpiry(clock: ObservableClock): GuardOptions['watchSession'] {
  return (principal, ended) =>
    clock.watch(() => {
      if (hasExpired(principal, clock.now)) ended('TOKEN_EXPIRED');
    });
}
