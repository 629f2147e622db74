// Every verb of a store that asks the database, with something to ask, and what it is refused with.
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

/** Makes the user and the session that the calls are about. */
export async function fill(store: Store): Promise<void> {
  await store.createUser(user);
  await store.createSession(session);
}

export const CALLS: {
  [Verb in Exclude<keyof Store, 'feedSyncedAt' | 'close'>]: (store: Store) => Promise<unknown>;
} = {
  createUser: (store) => store.createUser(newUser()),
  findUserByEmail: (store) => store.findUserByEmail(user.emailKey),
  findCredentials: (store) => store.findCredentials(user.emailKey, 'a network', NOW),
  findUserById: (store) => store.findUserById(user.id),
  hasUsers: (store) => store.hasUsers(),
  listUsers: (store) => store.listUsers(),
  updatePasswordHash: (store) => store.updatePasswordHash(user.id, 'old', 'new'),
  disableUser: (store) => store.disableUser('somebody@example.com', NOW, IDLE_SECONDS),
  setPasswordHash: (store) => store.setPasswordHash('somebody@example.com', 'hash', NOW, IDLE_SECONDS),
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

/** What is expected of all verbs together. */
export const everyVerb = (reason: unknown) =>
  Object.fromEntries(Object.keys(CALLS).map((verb) => [verb, reason]));

/** What each verb, called at once with all others, is refused with; undefined where it resolves. */
export async function reasonsOf(store: Store): Promise<Record<string, unknown>> {
  const reasons = Object.entries(CALLS).map(async ([verb, call]) => [verb, await reasonOf(call(store))]);
  return Object.fromEntries(await Promise.all(reasons));
}

/** The reason of a refusal; any other error as it is; undefined where there is none. */
export async function reasonOf(promise: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error instanceof AuthError ? error.reason : error;
  }
}
