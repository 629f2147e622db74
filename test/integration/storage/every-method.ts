// One call of every store method that uses the database.
import { AuthError } from '../../../src/errors.ts';
import type { Store } from '../../../src/storage/store.ts';
import { IDLE_SECONDS, NOW, newKey, newSession, newUser } from './contract/fixture.ts';

export const user = newUser();
export const session = newSession(user.id);
export const rotation = {
  sessionId: session.id,
  generation: 1,
  now: NOW,
  graceSeconds: 10,
  idleSeconds: IDLE_SECONDS,
};

/** Creates the user and the session that the calls use. */
export async function createRecords(store: Store): Promise<void> {
  await store.createUser(user);
  await store.createSession(session);
}

export const CALLS: {
  [Method in Exclude<keyof Store, 'feedSyncedAt' | 'close'>]: (store: Store) => Promise<unknown>;
} = {
  createUser: (store) => store.createUser(newUser()),
  findUserByEmail: (store) => store.findUserByEmail(user.emailKey),
  findCredentials: (store) => store.findCredentials(user.emailKey, 'a network', NOW),
  findUserById: (store) => store.findUserById(user.id),
  hasUsers: (store) => store.hasUsers(),
  listUsers: (store) => store.listUsers(),
  updatePasswordHash: (store) => store.updatePasswordHash(user.id, 'old', 'new'),
  disableUser: (store) => store.disableUser('unknown@example.com', NOW, IDLE_SECONDS),
  setPasswordHash: (store) => store.setPasswordHash('unknown@example.com', 'hash', NOW, IDLE_SECONDS),
  changeRoles: (store) => store.changeRoles(user.emailKey, { add: [crypto.randomUUID()] }, NOW),
  createSession: (store) => store.createSession(newSession(user.id), 'a network'),
  listLiveSessions: (store) => store.listLiveSessions(user.id, NOW, IDLE_SECONDS),
  findSessionStatus: (store) => store.findSessionStatus(session.id),
  rotateSession: (store) => store.rotateSession(rotation),
  revokeSession: (store) => store.revokeSession({ sessionId: session.id }, NOW, IDLE_SECONDS),
  revokeAllSessions: (store) => store.revokeAllSessions(user.id, NOW, IDLE_SECONDS),
  subscribe: (store) =>
    store.subscribe(
      () => {},
      () => NOW,
    ),
  listSigningKeys: (store) => store.listSigningKeys(),
  addSigningKeys: (store) => store.addSigningKeys([newKey('current')], NOW),
  rotateSigningKeys: (store) => store.rotateSigningKeys('kid', newKey('next'), NOW),
  revokeSigningKey: (store) => store.revokeSigningKey('kid', undefined, NOW),
  revokeAllSigningKeys: (store) => store.revokeAllSigningKeys(NOW),
  takeLease: (store) => store.takeLease('task', 'holder', NOW, 60),
  removeEndedSessions: (store) =>
    store.removeEndedSessions({ before: NOW, idleSeconds: IDLE_SECONDS, after: undefined, limit: 10 }),
  removeKnownNetworks: (store) => store.removeKnownNetworks(NOW, 10),
  clearLimits: (store) => store.clearLimits('subject', NOW),
  removeFeedEvents: (store) => store.removeFeedEvents(NOW, 10),
  removeRetiredKeys: (store) => store.removeRetiredKeys(NOW, NOW),
  ping: (store) => store.ping(),
};

/** @returns an object with `reason` for every method, to compare with `collectReasons` */
export const forEveryMethod = (reason: unknown) =>
  Object.fromEntries(Object.keys(CALLS).map((method) => [method, reason]));

/** Calls all methods concurrently. @returns the error reason of each; undefined if it resolves */
export async function collectReasons(store: Store): Promise<Record<string, unknown>> {
  const reasons = Object.entries(CALLS).map(async ([method, call]) => [
    method,
    await findReason(call(store)),
  ]);
  return Object.fromEntries(await Promise.all(reasons));
}

/** @returns the reason of an `AuthError`; any other error itself; undefined if the promise resolves */
export async function findReason(promise: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error instanceof AuthError ? error.reason : error;
  }
}
