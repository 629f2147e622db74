// What the guard adds to a request, by the size of the query, next to generic-auth in the same run.
// Run: npm run guard --workspace bench [-- ROUNDS]
import { CONTENDERS, type ContenderName } from './guard/contenders.ts';
import { measureFirstRequests } from './guard/first-requests.ts';
import { interleave } from './guard/interleave.ts';
import { createSchema } from './guard/queries.ts';
import { ALL_REFUSED, ALLOWED, MIXED, ONE_REFUSED, prepareScene, type Runs } from './guard/scenes.ts';
import { median } from './support/statistics.ts';

const SIZES = [1, 20, 100, 400, 2_000];
const SLICE_MS = 2;
const FIRST_REQUEST_ROUNDS = 31;

/** The microseconds of each contender, round by round. */
type Times = Record<ContenderName, readonly number[]>;

const rounds = Number(process.argv[2] ?? 40);
const schema = createSchema(Math.max(...SIZES));

printHeading('Added to a request');
for (const scene of [ALLOWED, ONE_REFUSED, ALL_REFUSED, MIXED]) {
  const prepared = await prepareScene(schema, scene, SIZES);
  const times = await measure(prepared.map(({ deciding }) => deciding));
  const added = (name: ContenderName) =>
    medians(times, (of, round) => at(of[name], round) - at(of.neither, round));
  printRow(`${scene.title}: guard`, added('guard'));
  printRow(`${scene.title}: generic-auth`, added('generic-auth'));
  const ratio = (of: Times, round: number) =>
    (at(of['generic-auth'], round) - at(of.neither, round)) / (at(of.guard, round) - at(of.neither, round));
  printRow(`${scene.title}: generic-auth / guard`, medians(times, ratio));
}

printHeading('Added to the first request of a document');
const firsts = await measureFirstRequests(schema, SIZES, FIRST_REQUEST_ROUNDS);
printRow(
  'parse and validate, for comparison',
  firsts.map(({ parsing }) => median(parsing)),
);
printRow(
  'guard, allowed: plan',
  firsts.map(({ planning }) => median(planning)),
);
printRow(
  'guard, all refused: plan and write out the refusals',
  firsts.map(({ refusing }) => median(refusing)),
);

printHeading('A whole request, executed by @graphql-tools/executor');
for (const scene of [ALLOWED, MIXED]) {
  const prepared = await prepareScene(schema, scene, SIZES);
  const times = await measure(prepared.map(({ executing }) => executing));
  for (const name of CONTENDERS) {
    printRow(
      `${scene.title}: ${name}`,
      medians(times, (of, round) => at(of[name], round)),
    );
  }
}

/** All sizes and contenders in the same rounds. */
async function measure(sizes: readonly Runs[]): Promise<Times[]> {
  const runs = sizes.flatMap((of) => CONTENDERS.map((name) => of[name]));
  const times = await interleave(runs, { rounds, sliceMs: SLICE_MS });
  return sizes.map((_, size) => {
    const [neither = [], guard = [], genericAuth = []] = times.slice(size * CONTENDERS.length);
    return { neither, guard, 'generic-auth': genericAuth };
  });
}

/** For each size, the median over the rounds. */
function medians(times: readonly Times[], value: (of: Times, round: number) => number): number[] {
  return times.map((of) => median(of.neither.map((_, round) => value(of, round))));
}

function at(times: readonly number[], round: number): number {
  return times[round] ?? Number.NaN;
}

function printHeading(title: string): void {
  console.log(`\n| ${title}, µs by fields | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(SIZES.length)}`);
}

function printRow(title: string, values: readonly number[]): void {
  const digits = (value: number) => (Math.abs(value) < 100 ? 2 : 0);
  const cells = values.map((value) =>
    value.toLocaleString('en', {
      maximumFractionDigits: digits(value),
      minimumFractionDigits: digits(value),
    }),
  );
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}
