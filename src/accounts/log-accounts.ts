// Logs what happens to accounts: changes at info, rejections at debug. Ids only: no email, no token, no password.
import { AuthError } from '../errors.ts';
import { parseRefreshToken } from '../tokens/refresh-token.ts';
import type { Secrets } from '../tokens/secrets.ts';
import type { Log } from '../utils/log.ts';
import type { Accounts } from './accounts.ts';

export interface AccountLogDeps {
  log: Log;
  /** Reads the session's id from a refresh token. */
  secrets: Secrets;
}

/** The same functions; each call is logged by its outcome. */
export function logAccounts(accounts: Accounts, { log, secrets }: AccountLogDeps): Accounts {
  const idOf = (refreshToken: string) => parseRefreshToken(refreshToken, secrets)?.sessionId;

  /** Rejections alone: an outage is logged where it is found. */
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
        () => {}, // counted in the metrics: there is one every few minutes for each client
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
