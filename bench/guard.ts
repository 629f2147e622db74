// Measures the time that the guard and generic-auth add to a request, by the size of the query.
// Run: npm run guard --workspace bench [-- ROUNDS]   Without ROUNDS, it updates the goal in bench/README.md.
import { CONTENDERS, type ContenderName } from './guard/contenders.ts';
import { measureFirstRequests } from './guard/first-requests.ts';
import { interleave } from './guard/interleave.ts';
import { createSchema } from './guard/queries.ts';
import { ALL_DENIED, ALLOWED, MIXED, ONE_DENIED, prepareScene, type Runs } from './guard/scenes.ts';
import { formatGoals, writeGoals } from './support/report.ts';
import { median } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

/** Microseconds by contender, one value per round. */
type Times = Record<ContenderName, readonly number[]>;

const SIZES = [1, 20, 100, 400, 2_000];
const ROUNDS = 40;
const SLICE_MS = 2;
const FIRST_REQUEST_ROUNDS = 31;
const GOAL = { size: 400, micros: 5 };

const rounds = Number(process.argv[2] ?? ROUNDS);
const schema = createSchema(Math.max(...SIZES));

const added: [string, ...number[]][] = [];
for (const scene of [ALLOWED, ONE_DENIED, ALL_DENIED, MIXED]) {
  const prepared = await prepareScene(schema, scene, SIZES);
  const times = await measure(prepared.map(({ deciding }) => deciding));
  const addedBy = (name: ContenderName, of: Times, round: number) =>
    at(of[name], round) - at(of.neither, round);
  for (const name of ['guard', 'generic-auth'] as const) {
    added.push([`${scene.title}: ${name}`, ...medians(times, (of, round) => addedBy(name, of, round))]);
  }
  const ratio = (of: Times, round: number) =>
    addedBy('generic-auth', of, round) / addedBy('guard', of, round);
  added.push([`${scene.title}: generic-auth / guard`, ...medians(times, ratio)]);
}
printTable('Added to a request', added);

const firsts = await measureFirstRequests(schema, SIZES, FIRST_REQUEST_ROUNDS);
printTable('Added to the first request of a document', [
  ['parse and validate, for comparison', ...firsts.map(({ parsing }) => median(parsing))],
  ['guard, allowed: plan', ...firsts.map(({ planning }) => median(planning))],
  ['guard, all denied: plan and write the errors', ...firsts.map(({ denying }) => median(denying))],
]);

const whole: [string, ...number[]][] = [];
for (const scene of [ALLOWED, MIXED]) {
  const prepared = await prepareScene(schema, scene, SIZES);
  const times = await measure(prepared.map(({ executing }) => executing));
  for (const name of CONTENDERS) {
    whole.push([`${scene.title}: ${name}`, ...medians(times, (of, round) => at(of[name], round))]);
  }
}
printTable('A whole request, executed by @graphql-tools/executor', whole);

const micros = Number(added[0]?.[1 + SIZES.indexOf(GOAL.size)]);
const goal = {
  what: `guard on a query of ${GOAL.size} fields`,
  goal: `at most ${GOAL.micros} µs a request`,
  figure: `${micros.toFixed(2)} µs`,
  isMet: micros <= GOAL.micros,
};
console.log(`\n${formatGoals([goal])}`);
if (rounds >= ROUNDS) await writeGoals([goal]);

/** Measures all sizes and contenders in the same rounds. */
async function measure(sizes: readonly Runs[]): Promise<Times[]> {
  const runs = sizes.flatMap((of) => CONTENDERS.map((name) => of[name]));
  const times = await interleave(runs, { rounds, sliceMs: SLICE_MS });
  return sizes.map((_, size) => {
    const [neither = [], guard = [], genericAuth = []] = times.slice(size * CONTENDERS.length);
    return { neither, guard, 'generic-auth': genericAuth };
  });
}

/** @returns for each size the median over the rounds */
function medians(times: readonly Times[], value: (of: Times, round: number) => number): number[] {
  return times.map((of) => median(of.neither.map((_, round) => value(of, round))));
}

function at(times: readonly number[], round: number): number {
  return times[round] ?? Number.NaN;
}

function printTable(title: string, rows: readonly (readonly [string, ...number[]])[]): void {
  const columns = SIZES.map((size) => size.toLocaleString('en'));
  console.log(`\n${formatTable(`${title}, µs by fields`, columns, rows)}`);
}
