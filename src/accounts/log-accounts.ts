// Logs changes of accounts and sessions at level info, rejections at debug. Fields are ids: no email, no token, no password.
import { AuthError } from '../errors.ts';
import { parseRefreshToken } from '../tokens/refresh-token.ts';
import type { Secrets } from '../tokens/secrets.ts';
import type { Log } from '../utils/log.ts';
import type { Accounts } from './accounts.ts';

export interface AccountLogDeps {
  log: Log;
  /** Verifies refresh tokens, to read their session ids. */
  secrets: Secrets;
}

/** Wraps the account functions: each logs its result. */
export function logAccounts(accounts: Accounts, { log, secrets }: AccountLogDeps): Accounts {
  const idOf = (refreshToken: string) => parseRefreshToken(refreshToken, secrets)?.sessionId;

  /** An outage is not logged here: the store logs it once. */
  async function logged<R>(
    call: Promise<R>,
    onSuccess: (result: R) => void,
    rejection: string,
    fields: object = {},
  ): Promise<R> {
    try {
      const result = await call;
      onSuccess(result);
      return result;
    } catch (error) {
      if (error instanceof AuthError && error.reason !== 'STORE_UNAVAILABLE') {
        log.debug({ ...fields, reason: error.reason }, rejection);
      }
      throw error;
    }
  }

  return {
    ...accounts,
    register: (account, client) =>
      logged(
        accounts.register(account, client),
        ({ user, refreshToken }) =>
          log.info({ userId: user.id, sessionId: idOf(refreshToken) }, 'account registered'),
        'registration rejected',
      ),
    logIn: (credentials, client) =>
      logged(
        accounts.logIn(credentials, client),
        ({ user, refreshToken }) => log.info({ userId: user.id, sessionId: idOf(refreshToken) }, 'signed in'),
        'sign-in rejected',
      ),
    refresh: (refreshToken) =>
      logged(
        accounts.refresh(refreshToken),
        () => {}, // too frequent for the log; the metrics count them
        'refresh rejected',
        { sessionId: idOf(refreshToken) },
      ),
    async logOut(session) {
      const { refreshToken, principal } = session;
      const isEnded = await accounts.logOut(session);
      const sessionId = refreshToken === undefined ? principal?.sessionId : idOf(refreshToken);
      if (isEnded) log.info({ userId: principal?.userId, sessionId }, 'signed out');
      return isEnded;
    },
    async revokeSession(id) {
      const isEnded = await accounts.revokeSession(id);
      if (isEnded) log.info(id, 'session revoked by its owner');
      return isEnded;
    },
    async revokeAllSessions(userId) {
      const count = await accounts.revokeAllSessions(userId);
      log.info({ userId, count }, 'all sessions revoked by their owner');
      return count;
    },
  };
}
