import { findUser } from './administration.ts';
import type { AccountDeps } from './deps.ts';
import { logIn } from './login.ts';
import { register } from './registration.ts';
import { listSessions, logOut, refresh, revokeAllSessions, revokeSession } from './sessions.ts';

export type Accounts = ReturnType<typeof createAccounts>;

export function createAccounts(deps: AccountDeps) {
  return {
    register: bind(register, deps),
    logIn: bind(logIn, deps),
    refresh: bind(refresh, deps),
    logOut: bind(logOut, deps),
    revokeSession: bind(revokeSession, deps),
    revokeAllSessions: bind(revokeAllSessions, deps),
    listSessions: bind(listSessions, deps),
    findUser: bind(findUser, deps),
  };
}

function bind<D, A extends unknown[], R>(useCase: (deps: D, ...args: A) => R, deps: D) {
  return (...args: A): R => useCase(deps, ...args);
}
