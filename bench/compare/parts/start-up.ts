// Time to start, and memory before and after load.
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { alternate } from '../../support/rounds.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { checkResponses } from '../check-responses.ts';
import { listContenders } from '../contenders.ts';
import { createHeaders, repeatRequests, writeRequests } from '../requests.ts';
import { createIssuer, type Part } from '../setup.ts';
import { loadSlice } from '../slices.ts';
import { startContender, withContenders } from '../start-contender.ts';

const STARTS = 7;
const CONNECTIONS = 50;
const TOKENS = 10_000;
const LOAD_SECONDS = 10;
const MEGABYTE = 1_000_000;

export const measureStartUp: Part = async (setup) => {
  const { cores, folder, generator, short, note } = setup;
  const issuer = await createIssuer(setup);
  const starts = listContenders(note).map((kind) => ({
    kind,
    settings: issuer.settings,
    pin: cores.pinTo('server'),
    times: [] as number[],
  }));
  for (const [start] of alternate(starts, { rounds: short ? 2 : STARTS, note })) {
    const contender = await startContender(start);
    start.times.push(contender.readyMs);
    await contender.stop();
  }

  const seconds = short ? 1 : LOAD_SECONDS;
  const rows: (string | number)[][] = [];
  for (const start of starts) {
    note(`memory: ${start.kind.title}`);
    await withContenders([start], async (contenders) => {
      for (const contender of contenders) {
        const { rssBytes: atStart } = await contender.usage();
        const headers = await createHeaders(contender, issuer, short ? 100 : TOKENS);
        const responseBytes = await checkResponses(contender, SECURE_QUERY, headers[0] ?? '');
        const file = await writeRequests(folder, headers, [{ query: SECURE_QUERY.query }]);
        const source = repeatRequests(file, headers.length);
        const target = { contender, connections: CONNECTIONS, responseBytes, source };
        await loadSlice(target, 0, { generator, seconds });
        const { rssBytes: afterLoad } = await contender.usage();
        rows.push([contender.title, median(start.times), atStart / MEGABYTE, afterLoad / MEGABYTE]);
      }
    });
  }
  const columns = ['start, ms', 'MB at start', `MB after ${seconds} s of load`];
  return { markdown: formatTable('Start-up and memory', columns, rows) };
};
