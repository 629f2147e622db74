// Refresh tokens under fire: many at once, lost answers, thieves, on several instances at the same time.
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type Account,
  type Cluster,
  countOutcomes,
  expectEverywhere,
  LONG_TIMEOUTS,
  startCluster,
  type Tokens,
} from '../support/cluster.ts';

const LOGOUT = 'mutation ($token: String!) { logout(refreshToken: $token) }';
const AT_ONCE = 50;
const GENERATIONS = 5;
const LOSSY_ROUNDS = 50;
const SHORT_GRACE_SECONDS = 1;
const RUNS = 50;

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
let account: Account & Tokens;
beforeAll(async () => {
  // So long that no slowness of the machine decides anything.
  cluster = await startCluster({ env: { BANDHA_REFRESH_GRACE_SECONDS: '600' } });
  account = await cluster.instanceAt(0).register();
});
afterAll(() => cluster?.close());

async function countLive({ accessToken }: Tokens): Promise<number> {
  const { body } = await cluster.instanceAt(0).execute('{ sessions { id } }', { token: accessToken });
  return body.data.sessions.length;
}

it(`gives ${AT_ONCE} refreshes of one token at the same time one successor, and leaves one session`, async () => {
  const session = await cluster.instanceAt(0).register();
  let { refreshToken } = session;
  for (let generation = 1; generation <= GENERATIONS; generation += 1) {
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, place) => cluster.instanceAt(place).refresh(refreshToken)),
    );
    expect(countOutcomes(answers)).toEqual({ OK: AT_ONCE });
    const [successor, ...others] = new Set(answers.map(({ tokens }) => tokens?.refreshToken));
    expect(others).toEqual([]);
    expect(successor).not.toBe(refreshToken);
    for (const { tokens } of answers) {
      expect(await cluster.instanceAt(generation).querySecureData(tokens?.accessToken ?? '')).toBe('OK');
    }
    refreshToken = successor ?? '';
  }
  expect(await countLive(session)).toBe(1);
});

it('keeps a client signed in that loses every second answer', async () => {
  let { refreshToken } = await cluster.instanceAt(0).logIn(account);
  for (let round = 0; round < LOSSY_ROUNDS; round += 1) {
    const lost = await cluster.instanceAt(2 * round).refresh(refreshToken);
    const arrived = await cluster.instanceAt(2 * round + 1).refresh(refreshToken);
    expect([lost.outcome, arrived.outcome]).toEqual(['OK', 'OK']);
    expect(arrived.tokens?.refreshToken).toBe(lost.tokens?.refreshToken);
    refreshToken = arrived.tokens?.refreshToken ?? '';
  }
});

it('ends the session for owner and thief alike where a used token comes again after the grace', async () => {
  const strict = await cluster.start({ BANDHA_REFRESH_GRACE_SECONDS: String(SHORT_GRACE_SECONDS) });
  const stolen = await strict.logIn(account);
  const owner = (await strict.refresh(stolen.refreshToken)).tokens;
  await wait(SHORT_GRACE_SECONDS * 1000 + 100); // that it is over is what this is about
  expect((await strict.refresh(stolen.refreshToken)).outcome).toBe('REUSED');
  for (const instance of [strict, ...cluster.instances]) {
    expect((await instance.refresh(owner?.refreshToken ?? '')).outcome).toBe('REVOKED');
    expect((await instance.refresh(stolen.refreshToken)).outcome).toBe('REVOKED');
    await expectEverywhere([instance], owner?.accessToken ?? '', 'TOKEN_REVOKED');
    await expectEverywhere([instance], stolen.accessToken, 'TOKEN_REVOKED');
  }
});

/** A session as it should be; a refresh token is known by its generation, counted from 1. */
interface Model {
  generation: number;
  isRevoked: boolean;
}

interface Action {
  kind: 'refresh' | 'logout';
  instance: number;
  /** How many generations old the token is: 0 for honest clients, 1 for one whose last answer was lost, more for a thief. */
  age: number;
}

/** An action with the token that it presented, and what was answered. */
interface Done {
  kind: Action['kind'];
  generation: number;
  outcome: string;
  successor: number | undefined;
}

/** @returns the session afterwards; undefined where the answer cannot be right */
function explain(model: Model, { kind, generation, outcome, successor }: Done): Model | undefined {
  const revoked = { ...model, isRevoked: true };
  if (kind === 'logout') return outcome === String(!model.isRevoked) ? revoked : undefined;
  if (model.isRevoked) return outcome === 'REVOKED' ? model : undefined;
  if (generation < model.generation - 1) return outcome === 'REUSED' ? revoked : undefined;
  const isRight = outcome === 'OK' && successor === generation + 1;
  return isRight ? { ...model, generation: generation + 1 } : undefined;
}

/** @returns the session after actions at the same time, which must look as if done in some order; undefined where none fits */
function explainAll(model: Model, done: readonly Done[]): Model | undefined {
  if (done.length === 0) return model;
  for (const first of done) {
    const after = explain(model, first);
    const others = done.filter((one) => one !== first);
    const last = after && explainAll(after, others);
    if (last !== undefined) return last;
  }
  return undefined;
}

const anyAction: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant('refresh' as const) },
    { weight: 1, arbitrary: fc.constant('logout' as const) },
  ),
  instance: fc.nat(2),
  age: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 5, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constantFrom(2, 3) },
  ),
});
/** Groups of actions; those of a group at the same time. */
const anyLife = fc.array(fc.array(anyAction, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
});

async function live(groups: readonly (readonly Action[])[]): Promise<void> {
  let latest = await cluster.instanceAt(0).logIn(account);
  const tokens = new Map([[1, latest.refreshToken]]);
  let model: Model = { generation: 1, isRevoked: false };

  async function act({ kind, instance, age }: Action): Promise<Done> {
    const generation = Math.max(1, model.generation - age);
    const token = tokens.get(generation) ?? '';
    const done = { kind, generation };
    if (kind === 'logout') {
      const { body } = await cluster.instanceAt(instance).execute(LOGOUT, { variables: { token } });
      return { ...done, outcome: String(body.data.logout), successor: undefined };
    }
    const { outcome, tokens: given } = await cluster.instanceAt(instance).refresh(token);
    if (given === undefined) return { ...done, outcome, successor: undefined };
    const successor = Number(given.refreshToken.split('.')[1]);
    expect(given.refreshToken).toBe(tokens.get(successor) ?? given.refreshToken);
    tokens.set(successor, given.refreshToken);
    latest = given;
    return { ...done, outcome, successor };
  }

  for (const group of groups) {
    const done = await Promise.all(group.map(act));
    const after = explainAll(model, done);
    expect(after, `${JSON.stringify(done)} cannot come of ${JSON.stringify(model)}`).toBeDefined();
    model = after ?? model;
  }
  const expected = model.isRevoked ? ['TOKEN_REVOKED', 'REVOKED'] : ['OK', 'OK'];
  await expectEverywhere(cluster.instances, latest.accessToken, expected[0] ?? '');
  for (const instance of cluster.instances) {
    expect((await instance.refresh(tokens.get(model.generation) ?? '')).outcome).toBe(expected[1]);
  }
}

it('never gives a token two successors, nor an ended session another life, in whatever order things happen', async () => {
  await fc.assert(fc.asyncProperty(anyLife, live), { numRuns: RUNS });
});
