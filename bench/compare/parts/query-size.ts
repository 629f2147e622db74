// What a request costs by the size of the query, one field in four protected; and a list of 1,000 objects.

import { type Asked, LIST_QUERIES, SIZES, sizedQuery } from '../../contenders/schema.ts';
import { interleave } from '../../guard/interleave.ts';
import { createSchema } from '../../guard/queries.ts';
import { ALLOWED, prepareScene } from '../../guard/scenes.ts';
import { median } from '../../support/statistics.ts';
import { type Cell, formatTable } from '../../support/table.ts';
import { checkAnswers } from '../check-answers.ts';
import { kindsOf } from '../contenders.ts';
import { lineChart } from '../plots.ts';
import { compareSlices } from '../ratios.ts';
import { makeRealm } from '../realm.ts';
import { inRotation, makeHeaders, writeRequests } from '../requests.ts';
import type { Goal, Part } from '../setup.ts';
import { loadInTurn, type Scenario, type Slice, type Target } from '../slices.ts';
import { type Contender, startContender, withContenders } from '../start-contender.ts';

const CONNECTIONS = 10;
const GUARD_SIZE = 400;
const GUARD_ROUNDS = 20;
const GUARD_SLICE_MS = 2;
const GUARD_GOAL_MICROS = 5;

interface Case {
  title: string;
  asked: Asked;
  size?: number;
}

export const measureQuerySize: Part = async (setup) => {
  const sizes = setup.short ? SIZES.filter((size) => size === 1 || size >= 400) : SIZES;
  const cases: Case[] = [
    ...sizes.map((size) => ({ title: size.toLocaleString('en'), asked: sizedQuery(size), size })),
    { title: '1,000 objects, all protected', asked: LIST_QUERIES.whole },
    { title: '… one field of each', asked: LIST_QUERIES.fields },
  ];
  const realm = await makeRealm(setup.folder);
  return withContenders(
    kindsOf('echo', 'bandha', 'mercurius', 'yoga', 'apollo'),
    (kind) => startContender(kind, realm.settings, setup.cores),
    async (contenders) => {
      const scenarios: Scenario[] = [];
      for (const { asked } of cases) {
        const targets: Target[] = [];
        for (const contender of contenders) {
          const [header = ''] = await makeHeaders(contender, realm, 1);
          const answerBytes = await checkAnswers(contender, asked, header);
          const file = await writeRequests(setup.folder, [header], [{ query: asked.query }]);
          targets.push({ contender, connections: CONNECTIONS, answerBytes, supply: inRotation(file, 1) });
        }
        scenarios.push(targets);
      }
      const slices = await loadInTurn(scenarios, setup);
      return { ...report(contenders, cases, slices), goals: [await measureGuard()] };
    },
  );
};

function report(contenders: readonly Contender[], cases: readonly Case[], slices: Slice[][][]) {
  const bandhaAt = contenders.findIndex(({ name }) => name === 'bandha');
  const micros = (s: number, t: number) => median((slices[s]?.[t] ?? []).map(({ cpuMicros }) => cpuMicros));
  const table = (title: string, cell: (s: number, t: number) => Cell) =>
    formatTable(
      title,
      cases.map(({ title }) => title),
      contenders.map(({ title }, t) => [title, ...cases.map((_, s) => cell(s, t))]),
    );
  const timesLess = (s: number, t: number) =>
    compareSlices(slices[s]?.[bandhaAt] ?? [], slices[s]?.[t] ?? []).byCpu.median.toFixed(2);
  const plot = lineChart({
    title: 'CPU time a request, µs, by the number of fields (one in four protected)',
    xTitle: 'fields selected',
    series: contenders.map(({ title, name }, t) => ({
      label: title,
      strong: name === 'bandha',
      points: cases.flatMap(({ size }, s) => (size === undefined ? [] : [{ x: size, y: micros(s, t) }])),
    })),
  });
  return {
    markdown: [
      table('CPU time a request, µs, by fields selected', micros),
      table('Bandha takes … times less CPU', timesLess),
      table('Requests a second', (s, t) => median((slices[s]?.[t] ?? []).map(({ perSecond }) => perSecond))),
    ].join('\n\n'),
    plots: { 'query-size.svg': plot },
  };
}

/** The guard by itself, as `npm run guard --workspace bench` measures it. */
async function measureGuard(): Promise<Goal> {
  const [prepared] = await prepareScene(createSchema(GUARD_SIZE), ALLOWED, [GUARD_SIZE]);
  if (prepared === undefined) throw new Error('The guard has no scene');
  const { guard, neither } = prepared.deciding;
  const options = { rounds: GUARD_ROUNDS, sliceMs: GUARD_SLICE_MS };
  const [without = [], withGuard = []] = await interleave([neither, guard], options);
  const added = median(withGuard.map((micros, round) => micros - (without[round] ?? Number.NaN)));
  return {
    what: `guard on a query of ${GUARD_SIZE} fields`,
    goal: `at most ${GUARD_GOAL_MICROS} µs a request`,
    figure: `${added.toFixed(2)} µs`,
    met: added <= GUARD_GOAL_MICROS,
  };
}
