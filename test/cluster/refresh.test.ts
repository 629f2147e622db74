// Refresh tokens on several instances: concurrent requests, lost responses, stolen tokens, random sequences.
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
  // So long that a slow machine does not change a result.
  cluster = await startCluster({ env: { BANDHA_REFRESH_GRACE_SECONDS: '600' } });
  account = await cluster.instanceAt(0).register();
});
afterAll(() => cluster?.close());

async function countLive({ accessToken }: Tokens): Promise<number> {
  const { body } = await cluster.instanceAt(0).execute('{ sessions { id } }', { token: accessToken });
  return body.data.sessions.length;
}

it(`${AT_ONCE} concurrent refreshes of one token get one successor and one session`, async () => {
  const session = await cluster.instanceAt(0).register();
  let { refreshToken } = session;
  for (let generation = 1; generation <= GENERATIONS; generation += 1) {
    const responses = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => cluster.instanceAt(index).refresh(refreshToken)),
    );
    expect(countOutcomes(responses)).toEqual({ OK: AT_ONCE });
    const [successor, ...others] = new Set(responses.map(({ tokens }) => tokens?.refreshToken));
    expect(others).toEqual([]);
    expect(successor).not.toBe(refreshToken);
    for (const { tokens } of responses) {
      expect(await cluster.instanceAt(generation).querySecureData(tokens?.accessToken ?? '')).toBe('OK');
    }
    refreshToken = successor ?? '';
  }
  expect(await countLive(session)).toBe(1);
});

it('a client that loses every second response stays signed in', async () => {
  let { refreshToken } = await cluster.instanceAt(0).logIn(account);
  for (let round = 0; round < LOSSY_ROUNDS; round += 1) {
    const lost = await cluster.instanceAt(2 * round).refresh(refreshToken);
    const arrived = await cluster.instanceAt(2 * round + 1).refresh(refreshToken);
    expect([lost.outcome, arrived.outcome]).toEqual(['OK', 'OK']);
    expect(arrived.tokens?.refreshToken).toBe(lost.tokens?.refreshToken);
    refreshToken = arrived.tokens?.refreshToken ?? '';
  }
});

it('reuse after the grace period ends the session for owner and attacker', async () => {
  const strict = await cluster.start({ BANDHA_REFRESH_GRACE_SECONDS: String(SHORT_GRACE_SECONDS) });
  const stolen = await strict.logIn(account);
  const owner = (await strict.refresh(stolen.refreshToken)).tokens;
  await wait(SHORT_GRACE_SECONDS * 1000 + 100); // until the grace period is over
  expect((await strict.refresh(stolen.refreshToken)).outcome).toBe('REUSED');
  for (const instance of [strict, ...cluster.instances]) {
    expect((await instance.refresh(owner?.refreshToken ?? '')).outcome).toBe('REVOKED');
    expect((await instance.refresh(stolen.refreshToken)).outcome).toBe('REVOKED');
    await expectEverywhere([instance], owner?.accessToken ?? '', 'TOKEN_REVOKED');
    await expectEverywhere([instance], stolen.accessToken, 'TOKEN_REVOKED');
  }
});

/** Expected state of a session; refresh tokens are identified by their generation, counted from 1. */
interface Model {
  generation: number;
  isRevoked: boolean;
}

interface Action {
  kind: 'refresh' | 'logout';
  instance: number;
  /** Generations since the token was issued: 0 normally, 1 after a lost response, more for an attacker. */
  age: number;
}

/** An action with the generation of its token, and its result. */
interface Done {
  kind: Action['kind'];
  generation: number;
  outcome: string;
  successor: number | undefined;
}

/** @returns the session after the action; undefined if the result is wrong */
function explain(model: Model, { kind, generation, outcome, successor }: Done): Model | undefined {
  const revoked = { ...model, isRevoked: true };
  if (kind === 'logout') return outcome === String(!model.isRevoked) ? revoked : undefined;
  if (model.isRevoked) return outcome === 'REVOKED' ? model : undefined;
  if (generation < model.generation - 1) return outcome === 'REUSED' ? revoked : undefined;
  const isRight = outcome === 'OK' && successor === generation + 1;
  return isRight ? { ...model, generation: generation + 1 } : undefined;
}

/** @returns the session after concurrent actions, which must be explained by some order; undefined if none does */
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
/** Groups of actions; those of one group run concurrently. */
const anyActions = fc.array(fc.array(anyAction, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
});

async function runActions(groups: readonly (readonly Action[])[]): Promise<void> {
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
    const { outcome, tokens: issued } = await cluster.instanceAt(instance).refresh(token);
    if (issued === undefined) return { ...done, outcome, successor: undefined };
    const successor = Number(issued.refreshToken.split('.')[1]);
    expect(issued.refreshToken).toBe(tokens.get(successor) ?? issued.refreshToken);
    tokens.set(successor, issued.refreshToken);
    latest = issued;
    return { ...done, outcome, successor };
  }

  for (const group of groups) {
    const done = await Promise.all(group.map(act));
    const after = explainAll(model, done);
    expect(after, `${JSON.stringify(done)} cannot follow from ${JSON.stringify(model)}`).toBeDefined();
    model = after ?? model;
  }
  const expected = model.isRevoked ? ['TOKEN_REVOKED', 'REVOKED'] : ['OK', 'OK'];
  await expectEverywhere(cluster.instances, latest.accessToken, expected[0] ?? '');
  for (const instance of cluster.instances) {
    expect((await instance.refresh(tokens.get(model.generation) ?? '')).outcome).toBe(expected[1]);
  }
}

it('a token never gets two successors, nor a session a second life', async () => {
  await fc.assert(fc.asyncProperty(anyActions, runActions), { numRuns: RUNS });
});
