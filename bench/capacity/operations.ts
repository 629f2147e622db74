// Operations of the store, each call on other rows.
import type { Store } from '../../src/storage/store.ts';
import { emailOf, idOf, userOf } from './fill-store.ts';

export interface Operation {
  name: string;
  run(): Promise<unknown>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const IDLE_SECONDS = (7 * DAY_MS) / 1000;
const WALK_LIMIT = 500;
/** Prime, so that steps of this length reach every row once, and no neighbors in turn. */
const STRIDE = 611_953;
const USER_AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** Returns the id of a session that was not used before. */
export type TakeSession = () => string;

/** @param sessions how many `fillSqlite` or `fillPostgres` have created */
export function createTakeSession(sessions: number): TakeSession {
  let taken = 0;
  return () => {
    taken += 1;
    if (taken > sessions) throw new Error('Every session has been used');
    return idOf('session', (taken * STRIDE) % sessions);
  };
}

export function createOperations(store: Store, sessions: number, takeSession: TakeSession): Operation[] {
  const anySession = () => Math.floor(Math.random() * sessions);
  let after: string | undefined;

  return [
    {
      name: 'createSession',
      run: () => expectTrue(store.createSession(makeSession(userOf(anySession())))),
    },
    {
      name: 'rotateSession',
      async run() {
        const { outcome } = await store.rotateSession({
          sessionId: takeSession(),
          generation: 1,
          now: new Date(),
          graceSeconds: 10,
          idleSeconds: IDLE_SECONDS,
        });
        if (outcome !== 'ROTATED') throw new Error(outcome);
      },
    },
    {
      name: 'revokeSession',
      run: () => expectTrue(revoke(store, takeSession())),
    },
    {
      name: 'findUserByEmail',
      run: () => expectTrue(store.findUserByEmail(emailOf(userOf(anySession())))),
    },
    {
      name: 'findSessionStatus',
      run: () => expectTrue(store.findSessionStatus(idOf('session', anySession()))),
    },
    {
      name: `removeEndedSessions, ${WALK_LIMIT} sessions read`,
      async run() {
        const request = { before: new Date(0), idleSeconds: IDLE_SECONDS, after, limit: WALK_LIMIT };
        ({ after } = await store.removeEndedSessions(request));
      },
    },
    {
      name: 'takeLease',
      run: () => expectTrue(store.takeLease('bench', 'bench', new Date(), 60)),
    },
  ];
}

export function revoke(store: Store, sessionId: string): Promise<boolean> {
  return store.revokeSession({ sessionId }, new Date(), IDLE_SECONDS);
}

function makeSession(user: number) {
  const now = new Date();
  return {
    id: crypto.randomUUID(),
    userId: idOf('user', user),
    generation: 1,
    createdAt: now,
    authenticatedAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + 30 * DAY_MS),
    revokedAt: undefined,
    userAgent: USER_AGENT,
    ipAddress: '203.0.113.200',
  };
}

async function expectTrue(result: Promise<unknown>): Promise<void> {
  if (!(await result)) throw new Error('The operation of the store changed nothing');
}
