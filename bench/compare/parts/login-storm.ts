// How protected queries fare while 32 connections log in: Bandha, and a login that awaits Argon2id in libuv's pool.
import { setTimeout as wait } from 'node:timers/promises';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { median } from '../../support/statistics.ts';
import { formatTable, showNumber } from '../../support/table.ts';
import { checkAnswers } from '../check-answers.ts';
import { kindsOf } from '../contenders.ts';
import type { Hits } from '../generator.ts';
import { barChart } from '../plots.ts';
import { showSpread, spreadOf } from '../ratios.ts';
import { makeRealm } from '../realm.ts';
import { LOGIN, makeHeaders, writeRequests } from '../requests.ts';
import type { Goal, Part, Setup } from '../setup.ts';
import { assertAnswers, type Target } from '../slices.ts';
import { startContender, withContenders } from '../start-contender.ts';

const CONNECTIONS = 50;
const CONNECTIONS_LOGGING_IN = 32;
const SLICE_SECONDS = 3;
/** So long logins go on before the slice begins, and after it has ended. */
const AROUND_SECONDS = 1;

interface Round {
  idle: Hits;
  storm: Hits;
  logins: Hits;
}

/** What is sent to one contender. */
interface Duel extends Omit<Target, 'supply'> {
  protectedFile: string;
  loginFile: string;
}

export const measureLoginStorm: Part = async (setup) => {
  const realm = await makeRealm(setup.folder, CONNECTIONS_LOGGING_IN);
  const { emails, password } = realm.settings.accounts;
  const loginFile = await writeRequests(
    setup.folder,
    [''],
    emails.map((email) => ({ query: LOGIN, variables: { email, password } })),
  );
  // With all cores, as on a machine of its own: hashing is meant to find one that the event loop does not need.
  return withContenders(
    kindsOf('bandha', 'yoga'),
    (kind) => startContender(kind, realm.settings, setup.cores, 'all'),
    async (contenders) => {
      const duels: Duel[] = [];
      for (const contender of contenders) {
        const [header = ''] = await makeHeaders(contender, realm, 1);
        const answerBytes = await checkAnswers(contender, SECURE_QUERY, header);
        const protectedFile = await writeRequests(setup.folder, [header], [{ query: SECURE_QUERY.query }]);
        duels.push({ contender, connections: CONNECTIONS, answerBytes, protectedFile, loginFile });
      }
      return report(duels, await fight(duels, setup));
    },
  );
};

async function fight(duels: readonly Duel[], setup: Setup): Promise<Round[][]> {
  const results = duels.map((): Round[] => []);
  for (let round = 0; round <= setup.rounds; round += 1) {
    setup.note(round === 0 ? 'warming up' : `round ${round} of ${setup.rounds}`);
    const order = [...duels.entries()];
    for (const [i, duel] of round % 2 === 0 ? order : order.toReversed()) {
      const result = await fightRound(duel, setup);
      if (round > 0) results[i]?.push(result);
    }
  }
  return results;
}

async function fightRound(duel: Duel, { generator }: Setup): Promise<Round> {
  const { contender, protectedFile, loginFile } = duel;
  const shoot = (file: string, connections: number, seconds: number) =>
    generator.fire({ port: contender.port, connections, seconds, file, first: 0 });
  await contender.settle();
  const idle = await shoot(protectedFile, CONNECTIONS, SLICE_SECONDS);
  await contender.settle();
  const loggingIn = shoot(loginFile, CONNECTIONS_LOGGING_IN, SLICE_SECONDS + 2 * AROUND_SECONDS);
  await wait(AROUND_SECONDS * 1000);
  const storm = await shoot(protectedFile, CONNECTIONS, SLICE_SECONDS);
  const logins = await loggingIn;
  await contender.settle();
  for (const hits of [idle, storm]) assertAnswers(duel, hits);
  if (logins.refused + logins.broken > 0) throw new Error(`${contender.title} has refused logins`);
  return { idle, storm, logins };
}

function report(duels: readonly Duel[], results: Round[][]) {
  const perSecond = ({ requests, seconds }: Hits) => requests / seconds;
  const kept = (rounds: Round[]) =>
    spreadOf(rounds, rounds, ({ storm }, { idle }) => perSecond(storm) / perSecond(idle));
  const slowed = (rounds: Round[]) =>
    spreadOf(rounds, rounds, ({ storm }, { idle }) => storm.p99Ms / idle.p99Ms);
  const of = (rounds: Round[], value: (round: Round) => number) => median(rounds.map(value));

  const rows = duels.map(({ contender }, i) => {
    const rounds = results[i] ?? [];
    return [
      contender.title,
      of(rounds, ({ idle }) => perSecond(idle)),
      of(rounds, ({ storm }) => perSecond(storm)),
      showSpread(kept(rounds)),
      of(rounds, ({ idle }) => idle.p99Ms),
      of(rounds, ({ storm }) => storm.p99Ms),
      showSpread(slowed(rounds)),
      showNumber(of(rounds, ({ logins }) => perSecond(logins))),
    ];
  });
  const columns = ['idle, /s', 'storm, /s', 'ratio', 'idle p99, ms', 'storm p99, ms', 'ratio', 'logins/s'];
  const bandha = results[duels.findIndex(({ contender }) => contender.name === 'bandha')] ?? [];
  const goals: Goal[] = [
    {
      what: 'protected p99 under 32 connections of login, against idle',
      goal: 'at most 2',
      figure: showSpread(slowed(bandha)),
      met: slowed(bandha).median <= 2,
    },
    {
      what: 'protected requests/s under 32 connections of login, against idle',
      goal: 'at least 0.6',
      figure: showSpread(kept(bandha)),
      met: kept(bandha).median >= 0.6,
    },
  ];
  const plot = barChart({
    title: `Protected requests a second, idle and while ${CONNECTIONS_LOGGING_IN} connections log in`,
    rows: duels.flatMap(({ contender: { title, name } }, i) => [
      {
        label: `${title}: idle`,
        value: of(results[i] ?? [], ({ idle }) => perSecond(idle)),
        strong: name === 'bandha',
      },
      {
        label: `… and ${CONNECTIONS_LOGGING_IN} connections log in`,
        value: of(results[i] ?? [], ({ storm }) => perSecond(storm)),
        strong: name === 'bandha',
      },
    ]),
  });
  return {
    markdown: formatTable('Protected queries, idle and in a storm of logins', columns, rows),
    goals,
    plots: { 'login-storm.svg': plot },
  };
}
