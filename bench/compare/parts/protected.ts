// A protected query, with tokens that servers can cache and with tokens that are new.
import { SECURE_QUERY } from '../../contenders/schema.ts';
import type { Goal } from '../../support/report.ts';
import { median } from '../../support/statistics.ts';
import type { TokenIssuer } from '../../support/token-issuer.ts';
import { type ContenderName, listContenders } from '../contenders.ts';
import {
  type Case,
  cpuMicros,
  cpuRatio,
  type Matrix,
  measureMatrix,
  perSecond,
  requestsRatio,
} from '../matrix.ts';
import { compareSlices, formatComparison, MAX_GENERATOR_USE } from '../ratios.ts';
import {
  createHeaders,
  createNewRequests,
  type RequestSource,
  repeatRequests,
  toHeaders,
  writeRequests,
} from '../requests.ts';
import { createIssuer, type Part, type Result, type Setup } from '../setup.ts';
import { type Contender, withContenders } from '../start-contender.ts';

const CONNECTIONS = [1, 50, 500];
/** Goals are for 50 connections and one token. */
const GOAL_CONNECTIONS = 50;
const MANY_TOKENS = 10_000;
/** More than any contender verifies in a slice, over one connection and over more. */
const NEW_TOKENS = { one: 8_000, many: 16_000 };
const NEW_COOKIES = 8_000;
const BODIES = [{ query: SECURE_QUERY.query }];

const GOALS: readonly { name: ContenderName; what: string; atLeast: number }[] = [
  { name: 'echo', what: 'protected query against a bare `node:http` JSON echo', atLeast: 0.85 },
  {
    name: 'mercurius',
    what: 'protected query against Mercurius with JIT, mercurius-auth, cached fast-jwt',
    atLeast: 2,
  },
  { name: 'yoga', what: 'protected query against Yoga, generic-auth, jose', atLeast: 15 },
  { name: 'apollo', what: 'protected query against Apollo Server, jose', atLeast: 12 },
];

export const measureProtected: Part = (setup) =>
  measure(setup, (issuer) => {
    // All cases of a contender send the same tokens.
    const withTokens = (count: number) => {
      const sources = new Map<Contender, RequestSource>();
      return async (contender: Contender) => {
        const existing = sources.get(contender);
        if (existing !== undefined) return existing;
        const headers = await createHeaders(contender, issuer, count);
        const source = repeatRequests(await writeRequests(setup.folder, headers, BODIES), count);
        sources.set(contender, source);
        return source;
      };
    };
    const [one, many] = [withTokens(1), withTokens(MANY_TOKENS)];
    return [
      ...createCases('one token', setup, () => one),
      ...createCases('10,000 tokens', setup, () => many),
    ];
  });

export const measureNewTokens: Part = async (setup) => {
  const { markdown } = await measure({ ...setup, warmUpSlices: 1 }, (issuer) =>
    createCases('new tokens', setup, (connections) => {
      const count = connections === 1 ? NEW_TOKENS.one : NEW_TOKENS.many;
      const shared = createNewRequests(count, async () =>
        writeRequests(setup.folder, toHeaders(await issuer.signTokens(count)), BODIES),
      );
      return (contender) => withNewTokens(setup, contender, issuer, shared);
    }),
  );
  return { markdown };
};

/** Contenders that verify the same tokens share them. */
function withNewTokens(
  { folder }: Setup,
  contender: Contender,
  issuer: TokenIssuer,
  shared: RequestSource,
): RequestSource {
  if (contender.name === 'echo') return { ...shared, onSent() {} }; // the fast echo may repeat tokens
  if (contender.credential === 'EdDSA') return shared;
  const count = contender.credential === 'cookie' ? NEW_COOKIES : NEW_TOKENS.many;
  return createNewRequests(count, async () =>
    writeRequests(folder, await createHeaders(contender, issuer, count), BODIES),
  );
}

function createCases(
  title: string,
  { short }: Setup,
  sourceFor: (connections: number) => Case['createSource'],
): Case[] {
  return (short ? [GOAL_CONNECTIONS] : CONNECTIONS).map((connections, i) => ({
    title: i === 0 ? `${title}: ${connections}` : `${connections}`,
    query: SECURE_QUERY,
    connections,
    createSource: sourceFor(connections),
  }));
}

async function measure(setup: Setup, toCases: (issuer: TokenIssuer) => Case[]): Promise<Result> {
  const issuer = await createIssuer(setup);
  const pin = setup.cores.pinTo('server');
  const starts = listContenders(setup.note).map((kind) => ({ kind, settings: issuer.settings, pin }));
  return withContenders(starts, async (contenders) => {
    const cases = toCases(issuer);
    const matrix = await measureMatrix(contenders, cases, issuer, setup);
    const generatorUse = Math.max(...matrix.slices.map((slice) => slice.generatorUse));
    const versions = contenders.flatMap(({ versions }) => (versions === '' ? [] : versions));
    const paragraphs = [
      matrix.table('Requests per second, by connections', perSecond),
      matrix.table('CPU time per request, µs', cpuMicros),
      matrix.table('Bandha’s requests per second ÷ those of', requestsRatio),
      matrix.table('CPU time per request ÷ Bandha’s', cpuRatio),
      matrix.table('p99, ms', (slices) => median(slices.map(({ p99Ms }) => p99Ms))),
      `The generator used at most ${generatorUse.toFixed(2)} of its core: it was ${generatorUse < MAX_GENERATOR_USE ? 'not' : 'AT TIMES'} the bottleneck.`,
      `Compared: ${versions.join('; ')}.`,
    ];
    const goalCase = cases.findIndex(({ connections }) => connections === GOAL_CONNECTIONS);
    return { markdown: paragraphs.join('\n\n'), goals: GOALS.map((goal) => toGoal(goal, goalCase, matrix)) };
  });
}

function toGoal({ name, what, atLeast }: (typeof GOALS)[number], goalCase: number, matrix: Matrix): Goal {
  const comparison = compareSlices(matrix.slicesOf(goalCase, 'bandha'), matrix.slicesOf(goalCase, name));
  return {
    what,
    goal: `at least ${atLeast}`,
    figure: formatComparison(comparison),
    isMet: comparison[comparison.main].median >= atLeast,
  };
}
