// Does a request cost more as the store grows? Servers on an empty and on a full store, under the same load in turn.
// Run: npm run capacity:growth --workspace bench [-- ROUNDS [SHARE]]   SHARE of the full size, for a try
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Postgres, startPostgres } from '../../test/support/postgres.ts';
import { saveMeasured } from '../support/measured.ts';
import { createReport, writeSection } from '../support/report.ts';
import { createContenders } from './growth/contenders.ts';
import { measureStarts } from './growth/measure-starts.ts';
import { onPostgres, onSqlite, type Places } from './growth/places.ts';
import { printMemory, printRuns } from './growth/print-runs.ts';
import { type Run, runOnce } from './growth/run-once.ts';

/** Of fresh processes each: two of the same differ. */
const RUNS = 3;
const GOAL = 1.1;

const rounds = Number(process.argv[2] ?? 100);
const share = Number(process.argv[3] ?? 1);
const size = {
  sessions: 1_000_000 * share,
  revoked: 100_000 * share,
  tokens: 100_000 * share,
};

const report = createReport();
const [sessions, revoked, tokens] = Object.values(size).map((count) => count.toLocaleString('en'));
report.say(
  `Full: ${sessions} sessions stored, ${revoked} of them revoked lately, ${tokens} tokens cached; ${RUNS} runs of ${rounds} rounds.`,
);
const folder = await mkdtemp(join(tmpdir(), 'bandha-growth-'));
let postgres: Postgres | undefined;
try {
  const figures = await measure('SQLite', onSqlite(folder, size));
  postgres = await startPostgres();
  await measure('PostgreSQL', onPostgres(postgres, size));
  if (share === 1) {
    await saveMeasured('growth', figures);
    await writeSection('bench/README.md', 'growth', report.text());
  }
} finally {
  await postgres?.remove();
  await rm(folder, { recursive: true, force: true });
}

/** Prints the tables of one kind of store, and returns what the simulation reckons with. */
async function measure(kind: string, places: Places) {
  const contenders = await createContenders(places, size);
  const starts = await measureStarts({ empty: contenders.empty.place, full: contenders.full.place });
  report.table(
    `Start on ${kind}, from createBandha to listening`,
    ['median ms'],
    Object.entries(starts).map(([name, ms]) => [`${name} store`, ms]),
  );
  const runs: Run[] = [];
  for (let i = 0; i < RUNS; i += 1) runs.push(await runOnce(contenders, { rounds, folder }));
  const memory = printMemory(report, kind, runs, size);
  const results = printRuns(report, `CPU time of a request, ${kind}`, runs);

  const { ratio } = results.goal;
  const more = (of: number) => `${Math.abs((of - 1) * 100).toFixed(1)} % ${of < 1 ? 'less' : 'more'}`;
  const likeForLike = more(ratio / results.likeForLike.ratio);
  report.say(
    `${kind}: on the full store a request takes ${more(ratio)} CPU time than on the empty one, and ${likeForLike} than on an empty one with as many tokens cached. ${
      ratio <= GOAL ? 'Within' : '**Not** within'
    } the goal of 10 %.`,
  );
  if (!(ratio <= GOAL)) process.exitCode = 1;
  return { requestCpuMicros: results.reference.micros, fullToEmptyRatio: ratio, ...memory };
}
