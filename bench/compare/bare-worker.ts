// What logins and refreshes cannot be faster than: the hash alone, and the store alone. Answers how many a second.
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { openStore } from '../../src/storage/open-store.ts';
import { answerQuestions, type Question, type Settings } from '../contenders/serve.ts';

const SESSIONS = 32;
const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };
const DAY_MS = 24 * 60 * 60 * 1000;

const { databaseUrl, accounts }: Settings = JSON.parse(process.argv[2] ?? '{}');
const phc = await hash(accounts.password, ARGON2ID);
const store = await openStore(databaseUrl);
const sessions = await Promise.all(Array.from({ length: SESSIONS }, makeSession));

await answerQuestions(
  {},
  {
    hashes: ({ seconds = 1 }: Question) =>
      countPerSecond(seconds, Math.max(1, availableParallelism() - 1), () => verify(phc, accounts.password)),
    rotations: ({ seconds = 1 }: Question) =>
      countPerSecond(seconds, SESSIONS, async (i) => {
        const session = sessions[i];
        if (session === undefined) return;
        const { outcome } = await store.rotateSession({
          sessionId: session.id,
          generation: session.generation,
          now: new Date(),
          graceSeconds: 10,
          idleSeconds: 7 * 24 * 60 * 60,
        });
        if (outcome !== 'ROTATED') throw new Error(outcome);
        session.generation += 1;
      }),
  },
);

/** So many run at once, each the next as soon as it is done with one. */
async function countPerSecond(seconds: number, atOnce: number, run: (i: number) => Promise<unknown>) {
  const startedAt = performance.now();
  let count = 0;
  const runOn = async (_: unknown, i: number) => {
    while (performance.now() - startedAt < seconds * 1000) {
      await run(i);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runOn));
  return (count * 1000) / (performance.now() - startedAt);
}

async function makeSession(_: unknown, i: number): Promise<{ id: string; generation: number }> {
  const [id, userId, now] = [crypto.randomUUID(), crypto.randomUUID(), new Date()];
  const email = `user-${i}@example.com`;
  await store.createUser({
    id: userId,
    email,
    emailKey: email,
    passwordHash: phc,
    roles: [],
    createdAt: now,
  });
  const session = {
    id,
    userId,
    generation: 1,
    createdAt: now,
    authenticatedAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + 30 * DAY_MS),
    revokedAt: undefined,
    userAgent: undefined,
    ipAddress: '127.0.0.1',
  };
  if (!(await store.createSession(session))) throw new Error('The store has made no session');
  return { id, generation: 1 };
}
