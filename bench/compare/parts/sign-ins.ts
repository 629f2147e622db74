// Logins against the bare hash, refreshes against the bare store.
import { resolve } from 'node:path';
import type { Settings } from '../../contenders/serve.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { createClient } from '../clients.ts';
import { kindsOf } from '../contenders.ts';
import { showSpread, spreadOf } from '../ratios.ts';
import { makeRealm } from '../realm.ts';
import { LOGIN, writeRequests } from '../requests.ts';
import type { Goal, Part, Setup } from '../setup.ts';
import {
  type Contender,
  startContender,
  startWorker,
  type Worker,
  withContenders,
} from '../start-contender.ts';

const CONNECTIONS = 32;
const SLICE_SECONDS = 3;
const WORKER = resolve(import.meta.dirname, '../bare-worker.ts');
const SIGN_IN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { refreshToken }
}`;
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';

/** How many a second. */
interface Round {
  hashes: number;
  logins: number;
  rotations: number;
  refreshes: number;
}

export const measureSignIns: Part = async (setup) => {
  const realm = await makeRealm(setup.folder, CONNECTIONS);
  const bare = await startBare((await makeRealm(setup.folder)).settings, setup);
  try {
    return await withContenders(
      kindsOf('bandha'),
      (kind) => startContender(kind, realm.settings, setup.cores, 'all'),
      async ([bandha]) => {
        if (bandha === undefined) throw new Error('Bandha has not started');
        return report(await measureRounds(bandha, bare, realm.settings, setup));
      },
    );
  } finally {
    await bare.stop();
  }
};

function startBare(settings: Settings, { cores }: Setup): Promise<Worker> {
  return startWorker(cores.on('all', [process.execPath, WORKER, JSON.stringify(settings)]));
}

async function measureRounds(
  bandha: Contender,
  bare: Worker,
  { accounts }: Settings,
  setup: Setup,
): Promise<Round[]> {
  const { emails, password } = accounts;
  const file = await writeRequests(
    setup.folder,
    [''],
    emails.map((email) => ({ query: LOGIN, variables: { email, password } })),
  );
  const seconds = SLICE_SECONDS;
  const refreshers = await createRefreshers(bandha, accounts);
  const measures: Record<keyof Round, () => Promise<number>> = {
    hashes: () => bare.ask({ kind: 'hashes', seconds }),
    async logins() {
      const shot = { port: bandha.port, connections: CONNECTIONS, seconds, file, first: 0 };
      const hits = await setup.generator.fire(shot);
      if (hits.refused + hits.broken > 0) throw new Error('Bandha has refused logins');
      return hits.requests / hits.seconds;
    },
    rotations: () => bare.ask({ kind: 'rotations', seconds }),
    refreshes: () => refreshers.refreshFor(seconds),
  };

  const rounds: Round[] = [];
  for (let round = 0; round <= setup.rounds; round += 1) {
    setup.note(round === 0 ? 'warming up' : `round ${round} of ${setup.rounds}`);
    const result: Round = { hashes: 0, logins: 0, rotations: 0, refreshes: 0 };
    const names = Object.keys(measures) as (keyof Round)[]; // its own keys
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      result[name] = await measures[name]();
      await bandha.settle();
    }
    if (round > 0) rounds.push(result);
  }
  refreshers.close();
  return rounds;
}

/** One session a connection, each refreshed with the token that the refresh before has given. */
async function createRefreshers({ port }: Contender, { emails, password }: Settings['accounts']) {
  const chains = await Promise.all(
    emails.map(async (email) => {
      const client = createClient(port);
      const { body } = await client.ask(SIGN_IN, { email, password });
      return { client, token: body.data.login.refreshToken };
    }),
  );
  return {
    async refreshFor(seconds: number): Promise<number> {
      const startedAt = performance.now();
      let count = 0;
      const refreshOn = async (chain: (typeof chains)[number]) => {
        while (performance.now() - startedAt < seconds * 1000) {
          const { body } = await chain.client.ask(REFRESH, { token: chain.token });
          chain.token = body.data.refresh.refreshToken;
          count += 1;
        }
      };
      await Promise.all(chains.map(refreshOn));
      return (count * 1000) / (performance.now() - startedAt);
    },
    close() {
      for (const { client } of chains) client.close();
    },
  };
}

function report(rounds: readonly Round[]) {
  const of = (name: keyof Round) => median(rounds.map((round) => round[name]));
  const logins = spreadOf(rounds, rounds, (a, b) => a.logins / b.hashes);
  const refreshes = spreadOf(rounds, rounds, (a, b) => a.refreshes / b.rotations);
  const goal: Goal = {
    what: 'logins/s against bare Argon2id on the cores it may use',
    goal: 'at least 0.9',
    figure: showSpread(logins),
    met: logins.median >= 0.9,
  };
  const markdown = formatTable(
    'A second',
    ['bare', 'Bandha', 'ratio'],
    [
      [`logins (bare: Argon2id), ${CONNECTIONS} connections`, of('hashes'), of('logins'), showSpread(logins)],
      [
        `refreshes (bare: \`rotateSession\`), ${CONNECTIONS} connections`,
        of('rotations'),
        of('refreshes'),
        showSpread(refreshes),
      ],
    ],
  );
  return { markdown, goals: [goal] };
}
