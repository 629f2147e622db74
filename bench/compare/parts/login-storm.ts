// Protected queries while 32 connections sign in: Bandha, and a login that awaits Argon2id in libuv's thread pool.
import { setTimeout as wait } from 'node:timers/promises';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { alternate } from '../../support/rounds.ts';
import { median } from '../../support/statistics.ts';
import { formatNumber, formatTable } from '../../support/table.ts';
import { checkResponses } from '../check-responses.ts';
import { selectContenders } from '../contenders.ts';
import type { LoadResult } from '../generator.ts';
import { formatSpread, toSpread } from '../ratios.ts';
import { createHeaders, writeLogins, writeRequests } from '../requests.ts';
import { createIssuer, type Part, type Setup } from '../setup.ts';
import { assertResponses, type Target } from '../slices.ts';
import { withContenders } from '../start-contender.ts';

const CONNECTIONS = 50;
const LOGIN_CONNECTIONS = 32;
const SLICE_SECONDS = 3;
/** Sign-ins begin so long before the slice, and continue after it. */
const MARGIN_SECONDS = 1;

interface Round {
  idle: LoadResult;
  storm: LoadResult;
  logins: LoadResult;
}

interface StormTarget extends Omit<Target, 'source'> {
  protectedFile: string;
  rounds: Round[];
}

export const measureLoginStorm: Part = async (setup) => {
  const issuer = await createIssuer(setup, LOGIN_CONNECTIONS);
  const loginFile = await writeLogins(setup.folder, issuer);
  // With all cores, as on a server: hashing is meant to use one that the event loop does not need.
  const pin = setup.cores.pinTo('all');
  const kinds = selectContenders('bandha', 'yoga');
  const starts = kinds.map((kind) => ({ kind, settings: issuer.settings, pin }));
  return withContenders(starts, async (contenders) => {
    const targets: StormTarget[] = [];
    for (const contender of contenders) {
      const [header = ''] = await createHeaders(contender, issuer, 1);
      const responseBytes = await checkResponses(contender, SECURE_QUERY, header);
      const protectedFile = await writeRequests(setup.folder, [header], [{ query: SECURE_QUERY.query }]);
      targets.push({ contender, connections: CONNECTIONS, responseBytes, protectedFile, rounds: [] });
    }
    for (const [target, round] of alternate(targets, { ...setup, warmUpRounds: 1 })) {
      const result = await measureRound(target, loginFile, setup);
      if (round >= 0) target.rounds.push(result);
    }
    return toResult(targets);
  });
};

async function measureRound(target: StormTarget, loginFile: string, { generator }: Setup): Promise<Round> {
  const { contender, protectedFile } = target;
  const load = (file: string, connections: number, seconds: number) =>
    generator.run({ port: contender.port, connections, seconds, file });
  await contender.settle();
  const idle = await load(protectedFile, CONNECTIONS, SLICE_SECONDS);
  await contender.settle();
  const signingIn = load(loginFile, LOGIN_CONNECTIONS, SLICE_SECONDS + 2 * MARGIN_SECONDS);
  await wait(MARGIN_SECONDS * 1000);
  const storm = await load(protectedFile, CONNECTIONS, SLICE_SECONDS);
  const logins = await signingIn;
  await contender.settle();
  for (const result of [idle, storm]) assertResponses(target, result);
  if (logins.errorResponses + logins.failedConnections > 0) {
    throw new Error(`${contender.title} rejected sign-ins`);
  }
  return { idle, storm, logins };
}

function toResult(targets: readonly StormTarget[]) {
  const columns = ['idle, /s', 'storm, /s', 'ratio', 'idle p99, ms', 'storm p99, ms', 'ratio', 'logins/s'];
  const results = targets.map(({ contender, rounds }) => {
    const rates = (kind: keyof Round) => rounds.map((round) => round[kind].requests / round[kind].seconds);
    const p99s = (kind: keyof Round) => rounds.map((round) => round[kind].p99Ms);
    const ratio = (values: (kind: keyof Round) => number[]) => {
      const idle = values('idle');
      return toSpread(values('storm').map((value, round) => value / (idle[round] ?? 0)));
    };
    return {
      contender,
      throughput: ratio(rates),
      latency: ratio(p99s),
      row: [
        contender.title,
        median(rates('idle')),
        median(rates('storm')),
        formatSpread(ratio(rates)),
        median(p99s('idle')),
        median(p99s('storm')),
        formatSpread(ratio(p99s)),
        formatNumber(median(rates('logins'))),
      ],
    };
  });
  const title = 'Protected queries, idle and in a storm of logins';
  return {
    markdown: formatTable(
      title,
      columns,
      results.map(({ row }) => row),
    ),
    goals: results
      .filter(({ contender }) => contender.name === 'bandha')
      .flatMap(({ latency, throughput }) => [
        {
          what: 'protected p99 under 32 connections of login, against idle',
          goal: 'at most 2',
          figure: formatSpread(latency),
          isMet: latency.median <= 2,
        },
        {
          what: 'protected requests/s under 32 connections of login, against idle',
          goal: 'at least 0.6',
          figure: formatSpread(throughput),
          isMet: throughput.median >= 0.6,
        },
      ]),
  };
}
