// A million requests of all kinds, with thousands of idle connections and clients that misbehave: does memory grow?
import { openIdleConnections, startBadClients } from '../../../test/support/bad-clients.ts';
import type { Condition } from '../../contenders/bandha.ts';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { formatTable } from '../../support/table.ts';
import { toHeaders, writeRequests } from '../requests.ts';
import { createIssuer, type Part, type Setup } from '../setup.ts';
import { type Contender, withBandha } from '../start-contender.ts';

const REQUESTS = 1_000_000;
const SHORT_REQUESTS = 50_000;
const READINGS = 5;
const IDLE_CONNECTIONS = 10_000;
const SHORT_IDLE_CONNECTIONS = 1_000;
const CONNECTIONS = 50;
const TOKENS = 1_000;
const SLICE_SECONDS = 4;
const MEGABYTE = 1_000_000;
/** Last reading of the heap by the first. Collections leave differences of that size. */
const MAX_GROWTH = 1.02;

export const measureEndurance: Part = async (setup) => {
  const issuer = await createIssuer(setup);
  const file = await writeMixedRequests(setup, await issuer.signTokens(TOKENS));
  return withBandha(issuer.settings, setup.cores.pinTo('server'), (bandha) => endure(bandha, file, setup));
};

/** Accepted requests, requests rejected for each reason, and invalid ones. */
async function writeMixedRequests({ folder }: Setup, tokens: readonly string[]): Promise<string> {
  const [forged, malformed] = toHeaders([`${tokens[0]?.slice(0, -8)}AAAAAAAA`, 'no-token']);
  const headers = toHeaders(tokens).flatMap((header) => [header, '', forged ?? '', malformed ?? '', header]);
  const conditional = '($with: Boolean!) { viewer @include(if: $with) { id } }';
  const bodies = [
    { query: SECURE_QUERY.query },
    { query: `query Me${conditional}`, variables: { with: false } },
    { query: SECURE_QUERY.query },
    { query: '{ noSuchField }' },
    { query: '{ viewer { id } }' },
    { query: `query ${conditional}`, variables: { with: 'no boolean' } },
    { query: '{ secureData { message' },
  ];
  return writeRequests(folder, headers, bodies);
}

async function endure(bandha: Contender, file: string, setup: Setup) {
  const { generator, short, note } = setup;
  const total = short ? SHORT_REQUESTS : REQUESTS;
  const readCondition = () => bandha.call<Condition>({ kind: 'condition' });
  const load = () =>
    generator.run({ port: bandha.port, connections: CONNECTIONS, seconds: SLICE_SECONDS, file });

  await load(); // compiles hot code, fills caches
  const before = await readCondition();
  const alone = await load();
  const idle = await openIdleConnections(bandha.port, short ? SHORT_IDLE_CONNECTIONS : IDLE_CONNECTIONS);
  const withIdle = await readCondition();
  const crowded = await load();
  idle.close();

  const badClients = startBadClients(bandha.port);
  const { requests: firstRequests } = await bandha.usage();
  const readings: { title: string; condition: Condition }[] = [];
  let failedConnections = 0;
  while (readings.length < READINGS) {
    failedConnections += (await load()).failedConnections;
    const requests = (await bandha.usage()).requests - firstRequests;
    if (requests < (total / READINGS) * (readings.length + 1)) continue;
    const title = requests.toLocaleString('en');
    note(`${title} requests`);
    readings.push({ title, condition: await readCondition() });
  }
  const growth =
    (readings.at(-1)?.condition.heapBytes ?? Number.NaN) / (readings[0]?.condition.heapBytes ?? Number.NaN);
  const badClientCount = await badClients.stop();
  await bandha.settle();
  const last = await readCondition();
  readings.push({ title: 'afterwards, without clients', condition: last });

  const bytesPerConnection = Math.round((withIdle.heapBytes - before.heapBytes) / idle.count);
  return {
    goals: [
      {
        what: `heap after ${total.toLocaleString('en')} requests, against a fifth of them`,
        goal: `at most ${MAX_GROWTH}`,
        figure: growth.toFixed(3),
        isMet: growth <= MAX_GROWTH && last.unhandledRejections === 0 && failedConnections === 0,
      },
    ],
    markdown: [
      formatTable(
        'Requests, accepted or rejected',
        ['heap, MB', 'unhandled rejections', 'connections'],
        readings.map(({ title, condition: { heapBytes, unhandledRejections, openConnections } }) => [
          title,
          heapBytes / MEGABYTE,
          String(unhandledRejections),
          String(openConnections),
        ]),
      ),
      `Beside them ${badClientCount.toLocaleString('en')} clients disconnected within a request or before its response, wrote byte by byte, or did not read; ${failedConnections} of the other connections failed.`,
      formatTable(
        `With ${withIdle.openConnections.toLocaleString('en')} idle connections`,
        ['requests/s', 'p99, ms'],
        [
          ['none', alone.requests / alone.seconds, alone.p99Ms],
          ['with them', crowded.requests / crowded.seconds, crowded.p99Ms],
        ],
      ),
      `An idle connection takes ${bytesPerConnection.toLocaleString('en')} bytes of heap.`,
    ].join('\n\n'),
  };
}
