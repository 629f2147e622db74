// A million requests of all kinds, with thousands of idle connections and clients that misbehave: does anything stay behind?
import { type BadClients, openIdleConnections, startBadClients } from '../../../test/support/bad-clients.ts';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { formatTable } from '../../support/table.ts';
import { kindsOf } from '../contenders.ts';
import type { Hits } from '../generator.ts';
import { makeRealm } from '../realm.ts';
import { writeRequests } from '../requests.ts';
import type { Goal, Part, Setup } from '../setup.ts';
import { type Contender, startContender, withContenders } from '../start-contender.ts';

const REQUESTS = 1_000_000;
const SHORT_REQUESTS = 50_000;
const STATIONS = 5;
const IDLE_CONNECTIONS = 10_000;
const SHORT_IDLE_CONNECTIONS = 1_000;
const CONNECTIONS = 50;
const TOKENS = 1_000;
const SLICE_SECONDS = 4;
const MEGABYTE = 1_000_000;
/** Of the heap, from the first station to the last; what a collector leaves differs by that much. */
const MAX_GROWTH = 1.02;

/** What Bandha's contender says of itself. */
interface Condition {
  /** After a full collection. */
  heapBytes: number;
  unhandledRejections: number;
  openConnections: number;
}

export const measureEndurance: Part = async (setup) => {
  const realm = await makeRealm(setup.folder);
  return withContenders(
    kindsOf('bandha'),
    (kind) => startContender(kind, realm.settings, setup.cores),
    async ([bandha]) =>
      endure(bandha as Contender, await mixedRequests(setup, await realm.signTokens(TOKENS)), setup),
  );
};

/** Answered, refused for each reason, and wrong: what a server meets. */
async function mixedRequests({ folder }: Setup, tokens: readonly string[]): Promise<string> {
  const [known = ''] = tokens;
  const headers = tokens.flatMap((token) => [
    `authorization: Bearer ${token}`,
    '',
    `authorization: Bearer ${known.slice(0, -8)}AAAAAAAA`,
    'authorization: Bearer no-token',
    `authorization: Bearer ${token}`,
  ]);
  const bodies = [
    { query: SECURE_QUERY.query },
    { query: 'query Me($with: Boolean!) { viewer @include(if: $with) { id } }', variables: { with: false } },
    { query: SECURE_QUERY.query },
    { query: '{ noSuchField }' },
    { query: '{ viewer { id } }' },
    {
      query: 'query ($with: Boolean!) { viewer @include(if: $with) { id } }',
      variables: { with: 'no boolean' },
    },
    { query: '{ secureData { message' },
  ];
  return writeRequests(folder, headers, bodies);
}

async function endure(bandha: Contender, file: string, setup: Setup) {
  const { generator, short, note } = setup;
  const total = short ? SHORT_REQUESTS : REQUESTS;
  const ask = () => bandha.ask<Condition>({ kind: 'condition' });
  const fire = () =>
    generator.fire({ port: bandha.port, connections: CONNECTIONS, seconds: SLICE_SECONDS, file, first: 0 });

  await fire(); // compiled, caches filled
  const before = await ask();
  const alone = await fire();
  const idle = await openIdleConnections(bandha.port, short ? SHORT_IDLE_CONNECTIONS : IDLE_CONNECTIONS);
  const beside = await ask();
  const crowded = await fire();
  idle.close();

  const clients: BadClients = startBadClients(bandha.port);
  const { requests: firstRequests } = await bandha.usage();
  const stations: { requests: number; condition: Condition }[] = [];
  const slices: Hits[] = [];
  while (stations.length < STATIONS) {
    slices.push(await fire());
    const requests = (await bandha.usage()).requests - firstRequests;
    if (requests < (total / STATIONS) * (stations.length + 1)) continue;
    note(`${requests.toLocaleString('en')} requests`);
    stations.push({ requests, condition: await ask() });
  }
  const misbehaved = await clients.stop();
  await bandha.settle();
  const last = await ask();
  const broken = slices.reduce((sum, slice) => sum + slice.broken, 0);

  const first = stations[0]?.condition.heapBytes ?? Number.NaN;
  const growth = (stations.at(-1)?.condition.heapBytes ?? Number.NaN) / first;
  const goals: Goal[] = [
    {
      what: `heap after ${total.toLocaleString('en')} requests, against a fifth of them`,
      goal: `at most ${MAX_GROWTH}`,
      figure: growth.toFixed(3),
      met: growth <= MAX_GROWTH && last.unhandledRejections === 0 && broken === 0,
    },
  ];
  const perConnection = (beside.heapBytes - before.heapBytes) / idle.count;
  return {
    goals,
    markdown: [
      formatTable(
        'Requests answered or refused',
        ['heap, MB', 'unhandled rejections', 'connections'],
        [...stations, { requests: Number.NaN, condition: last }].map(({ requests, condition }) => [
          Number.isNaN(requests) ? 'afterwards, nobody there' : requests.toLocaleString('en'),
          condition.heapBytes / MEGABYTE,
          String(condition.unhandledRejections),
          String(condition.openConnections),
        ]),
      ),
      `Beside them ${misbehaved.toLocaleString('en')} clients hung up in the middle of a request or before its answer, wrote byte by byte, or did not read; ${broken} of the orderly connections broke.`,
      formatTable(
        `With ${beside.openConnections.toLocaleString('en')} idle connections`,
        ['requests/s', 'p99, ms'],
        [
          ['none', alone.requests / alone.seconds, alone.p99Ms],
          ['with them', crowded.requests / crowded.seconds, crowded.p99Ms],
        ],
      ),
      `An idle connection takes ${Math.round(perConnection).toLocaleString('en')} bytes of heap.`,
    ].join('\n\n'),
  };
}
