// Logins compared with the bare hash, refreshes compared with the bare method of the store.
import { join } from 'node:path';
import { hash, verify } from '@node-rs/argon2';
import { openStore } from '../../../src/storage/open-store.ts';
import { fillSqlite, idOf } from '../../capacity/fill-store.ts';
import { createClient } from '../../support/http.ts';
import { alternate } from '../../support/rounds.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { formatSpread, toSpread } from '../ratios.ts';
import { writeLogins } from '../requests.ts';
import { createIssuer, type Part, type Setup } from '../setup.ts';
import { type Contender, withBandha } from '../start-contender.ts';

/** A measurement, and what it gave per second in each round. */
interface Measurement {
  run(): Promise<number>;
  perSecond: number[];
}

const CONNECTIONS = 32;
const SLICE_SECONDS = 3;
const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };
const IDLE_SECONDS = 7 * 24 * 60 * 60;
const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { refreshToken }
}`;
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';

export const measureSignIns: Part = async (setup) => {
  const { cores, generator, folder } = setup;
  const issuer = await createIssuer(setup, CONNECTIONS);
  const { accounts } = issuer.settings;
  const loginFile = await writeLogins(folder, issuer);
  const bareHash = await hash(accounts.password, ARGON2ID);
  const hashesAtOnce = Math.max(1, cores.count - 1);
  const bareStore = await createBareStore(folder);
  return withBandha(issuer.settings, cores.pinTo('all'), async (bandha) => {
    const refreshers = await createRefreshers(bandha, accounts);
    const measurements = {
      hashes: onAllCores(setup, () =>
        countPerSecond(hashesAtOnce, () => verify(bareHash, accounts.password)),
      ),
      logins: toMeasurement(async () => {
        const load = { port: bandha.port, connections: CONNECTIONS, seconds: SLICE_SECONDS, file: loginFile };
        const { requests, seconds, errorResponses, failedConnections } = await generator.run(load);
        if (errorResponses + failedConnections > 0) throw new Error('Bandha rejected sign-ins');
        return requests / seconds;
      }),
      rotations: onAllCores(setup, () => countPerSecond(CONNECTIONS, bareStore.rotate)),
      refreshes: toMeasurement(() => countPerSecond(CONNECTIONS, refreshers.refresh)),
    };
    for (const [{ run, perSecond }, round] of alternate(Object.values(measurements), {
      ...setup,
      warmUpRounds: 1,
    })) {
      const value = await run();
      await bandha.settle();
      if (round >= 0) perSecond.push(value);
    }
    refreshers.close();
    await bareStore.close();
    return toResult(measurements);
  });
};

function toMeasurement(run: () => Promise<number>): Measurement {
  return { run, perSecond: [] };
}

function onAllCores({ cores }: Setup, run: () => Promise<number>): Measurement {
  return toMeasurement(async () => {
    cores.moveTo('all');
    try {
      return await run();
    } finally {
      cores.moveTo('load');
    }
  });
}

/** Runs `concurrency` calls at a time for the length of a slice. */
async function countPerSecond(concurrency: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  const repeat = async (_: unknown, i: number) => {
    while (performance.now() - startedAt < SLICE_SECONDS * 1000) {
      await run(i);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, repeat));
  return (count * 1000) / (performance.now() - startedAt);
}

/** A store with one session per connection. */
async function createBareStore(folder: string) {
  const path = join(folder, 'bare.db');
  await (await openStore(`sqlite:${path}`)).close();
  fillSqlite(path, { sessions: CONNECTIONS, revoked: 0, revokedWithinSeconds: 0, now: new Date() });
  const store = await openStore(`sqlite:${path}`);
  const generations = Array.from({ length: CONNECTIONS }, () => 1);
  return {
    async rotate(i: number) {
      const generation = generations[i] ?? 1;
      const sessionId = idOf('session', i);
      const options = { now: new Date(), graceSeconds: 10, idleSeconds: IDLE_SECONDS };
      const { outcome } = await store.rotateSession({ sessionId, generation, ...options });
      if (outcome !== 'ROTATED') throw new Error(outcome);
      generations[i] = generation + 1;
    },
    close: () => store.close(),
  };
}

/** One session per connection; each refresh sends the token of the last. */
async function createRefreshers(
  { origin }: Contender,
  { emails, password }: { emails: readonly string[]; password: string },
) {
  const chains = await Promise.all(
    emails.map(async (email) => {
      const client = createClient(origin);
      const { body } = await client.send(LOGIN, { email, password });
      return { client, token: body.data.login.refreshToken };
    }),
  );
  return {
    async refresh(i: number) {
      const chain = chains[i];
      if (chain === undefined) throw new Error(`There is no session ${i}`);
      const { body } = await chain.client.send(REFRESH, { token: chain.token });
      chain.token = body.data.refresh.refreshToken;
    },
    close() {
      for (const { client } of chains) client.close();
    },
  };
}

function toResult(of: Record<'hashes' | 'logins' | 'rotations' | 'refreshes', Measurement>) {
  const ratio = (one: Measurement, bare: Measurement) =>
    toSpread(one.perSecond.map((value, round) => value / (bare.perSecond[round] ?? 0)));
  const row = (title: string, one: Measurement, bare: Measurement) => [
    `${title}, ${CONNECTIONS} connections`,
    median(bare.perSecond),
    median(one.perSecond),
    formatSpread(ratio(one, bare)),
  ];
  const logins = ratio(of.logins, of.hashes);
  return {
    markdown: formatTable(
      'Per second',
      ['bare', 'Bandha', 'ratio'],
      [
        row('logins (bare: Argon2id)', of.logins, of.hashes),
        row('refreshes (bare: `rotateSession`)', of.refreshes, of.rotations),
      ],
    ),
    goals: [
      {
        what: 'logins/s against bare Argon2id on the cores it may use',
        goal: 'at least 0.9',
        figure: formatSpread(logins),
        isMet: logins.median >= 0.9,
      },
    ],
  };
}
