// A protected query: with tokens seen before, and with tokens never seen.
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { median } from '../../support/statistics.ts';
import { type Cell, formatTable } from '../../support/table.ts';
import { checkAnswers } from '../check-answers.ts';
import type { ContenderName } from '../contenders.ts';
import { barChart } from '../plots.ts';
import { type Comparison, compareSlices, showComparison } from '../ratios.ts';
import { makeRealm, type Realm } from '../realm.ts';
import { inRotation, makeHeaders, neverSeen, type Supply, writeRequests } from '../requests.ts';
import { allKinds, type Goal, type Part, type Result, type Setup } from '../setup.ts';
import { loadInTurn, type Scenario, type Slice } from '../slices.ts';
import { type Contender, startContender, withContenders } from '../start-contender.ts';

const CONNECTIONS = [1, 50, 500];
/** The goals speak of 50 connections and one token. */
const GOAL_CONNECTIONS = 50;
const MANY_TOKENS = 10_000;
/** More than anybody verifies in a slice, the slower ones by far. */
const NEW_TOKENS = { one: 8_000, many: 16_000 };
const NEW_COOKIES = 4_000;
const BODIES = [{ query: SECURE_QUERY.query }];

const GOALS: readonly { against: ContenderName; what: string; atLeast: number }[] = [
  { against: 'echo', what: 'protected query against a bare `node:http` JSON echo', atLeast: 0.85 },
  {
    against: 'mercurius',
    what: 'protected query against Mercurius with JIT, mercurius-auth, cached fast-jwt',
    atLeast: 2,
  },
  { against: 'yoga', what: 'protected query against Yoga, generic-auth, jose', atLeast: 15 },
  { against: 'apollo', what: 'protected query against Apollo Server, jose', atLeast: 12 },
];

interface Case {
  title: string;
  connections: number;
  supplyOf(contender: Contender): Supply;
}

export const measureProtected: Part = (setup) =>
  measure(setup, async (contenders, realm) => {
    const one = new Map<Contender, Supply>();
    const many = new Map<Contender, Supply>();
    for (const contender of contenders) {
      const headers = await makeHeaders(contender, realm, MANY_TOKENS);
      one.set(contender, inRotation(await writeRequests(setup.folder, headers.slice(0, 1), BODIES), 1));
      const file = await writeRequests(setup.folder, headers, BODIES);
      many.set(contender, inRotation(file, MANY_TOKENS));
    }
    const cases = (of: string, supplies: Map<Contender, Supply>) =>
      connectionsOf(setup).map((connections, i) => ({
        title: i === 0 ? `${of}: ${connections}` : `${connections}`,
        connections,
        supplyOf: (contender: Contender) => supplies.get(contender) as Supply, // each has one
      }));
    return [...cases('one token', one), ...cases('10,000 tokens', many)];
  });

export const measureCold: Part = async (given) => {
  const setup = { ...given, warmUpSlices: 1 }; // each takes thousands of new tokens
  const { markdown } = await measure(setup, async (contenders, realm) =>
    connectionsOf(setup).map((connections, i) => {
      const count = connections === 1 ? NEW_TOKENS.one : NEW_TOKENS.many;
      const signed = neverSeen(count, async (count) =>
        writeRequests(setup.folder, bearer(await realm.signTokens(count)), BODIES),
      );
      const supplies = new Map(
        contenders.map((contender) => [contender, coldSupply(setup, contender, realm, signed)]),
      );
      return {
        title: i === 0 ? `new tokens: ${connections}` : `${connections}`,
        connections,
        supplyOf: (contender) => supplies.get(contender) as Supply, // each has one
      };
    }),
  );
  return { markdown };
};

/** Who verifies the same tokens shares them. */
function coldSupply(setup: Setup, contender: Contender, realm: Realm, signed: Supply): Supply {
  if (contender.name === 'echo') return { ...signed, used() {} }; // to it no token is new
  if (contender.credential === 'EdDSA') return signed;
  const count = contender.credential === 'cookie' ? NEW_COOKIES : NEW_TOKENS.many;
  return neverSeen(count, async (count) =>
    writeRequests(setup.folder, await makeHeaders(contender, realm, count), BODIES),
  );
}

async function measure(
  setup: Setup,
  makeCases: (contenders: Contender[], realm: Realm) => Promise<Case[]>,
): Promise<Result> {
  const realm = await makeRealm(setup.folder);
  const start = (kind: Contender | Parameters<typeof startContender>[0]) =>
    startContender(kind, realm.settings, setup.cores);
  return withContenders(allKinds(setup), start, async (contenders) => {
    const answerBytes = new Map<Contender, number>();
    for (const contender of contenders) {
      const [header = ''] = await makeHeaders(contender, realm, 1);
      answerBytes.set(contender, await checkAnswers(contender, SECURE_QUERY, header));
    }
    const cases = await makeCases(contenders, realm);
    const scenarios: Scenario[] = cases.map(({ connections, supplyOf }) =>
      contenders.map((contender) => ({
        contender,
        connections,
        supply: supplyOf(contender),
        answerBytes: answerBytes.get(contender) ?? Number.NaN,
      })),
    );
    return report(contenders, cases, await loadInTurn(scenarios, setup));
  });
}

function report(contenders: readonly Contender[], cases: readonly Case[], slices: Slice[][][]): Result {
  const columns = cases.map(({ title }) => title);
  const names = contenders.map(({ name }) => name);
  const slicesOf = (s: number, name: ContenderName) => slices[s]?.[names.indexOf(name)] ?? [];
  const table = (title: string, cell: (slices: Slice[], s: number) => Cell) =>
    formatTable(
      title,
      columns,
      contenders.map(({ name, title }) => [title, ...cases.map((_, s) => cell(slicesOf(s, name), s))]),
    );
  const medianOf = (key: keyof Slice) => (slices: Slice[]) => median(slices.map((slice) => slice[key]));
  const against = (s: number, slices: Slice[]) => compareSlices(slicesOf(s, 'bandha'), slices);

  const goalCase = cases.findIndex(({ connections }) => connections === GOAL_CONNECTIONS);
  const goals = GOALS.map(({ against: name, what, atLeast }): Goal => {
    const comparison: Comparison = against(goalCase, slicesOf(goalCase, name));
    return {
      what,
      goal: `at least ${atLeast}`,
      figure: showComparison(comparison),
      met: comparison[comparison.main].median >= atLeast,
    };
  });
  const tables = [
    table('Requests a second, by connections', medianOf('perSecond')),
    table('CPU time a request, µs', medianOf('cpuMicros')),
    table('Bandha answers … times as many', (of, s) => against(s, of).byRequests.median.toFixed(2)),
    table('Bandha takes … times less CPU', (of, s) => against(s, of).byCpu.median.toFixed(2)),
    table('p99, ms', medianOf('p99Ms')),
  ];
  const made = contenders.filter(({ madeOf }) => madeOf !== '').map(({ madeOf }) => madeOf);
  const plot = barChart({
    title: 'Protected query, 50 connections, one token: requests a second',
    rows: contenders.map(({ title, name }) => ({
      label: title,
      value: medianOf('perSecond')(slicesOf(goalCase, name)),
      strong: name === 'bandha',
    })),
  });
  return {
    markdown: [...tables, showShares(slices.flat(2)), `Compared: ${made.join('; ')}.`].join('\n\n'),
    goals,
    plots: { 'protected.svg': plot },
  };
}

function showShares(slices: readonly Slice[]): string {
  const generator = Math.max(...slices.map(({ generatorBusy }) => generatorBusy));
  return `The generator had ${generator.toFixed(2)} of its core at most: it was ${generator < 0.95 ? 'not' : 'AT TIMES'} the bottleneck.`;
}

function connectionsOf({ short }: Setup): number[] {
  return short ? [GOAL_CONNECTIONS] : CONNECTIONS;
}

function bearer(tokens: readonly string[]): string[] {
  return tokens.map((token) => `authorization: Bearer ${token}`);
}
