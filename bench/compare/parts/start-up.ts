// How long each takes to start, and what memory it takes, before and after load.
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { checkAnswers } from '../check-answers.ts';
import { makeRealm } from '../realm.ts';
import { inRotation, makeHeaders, writeRequests } from '../requests.ts';
import { allKinds, type Part } from '../setup.ts';
import { loadSlice } from '../slices.ts';
import { startContender } from '../start-contender.ts';

const STARTS = 7;
const CONNECTIONS = 50;
const TOKENS = 10_000;
const LOAD_SECONDS = 10;
const MEGABYTE = 1_000_000;

export const measureStartUp: Part = async (setup) => {
  const { cores, folder, generator, short, note } = setup;
  const realm = await makeRealm(folder);
  const kinds = allKinds(setup);
  const times = kinds.map((): number[] => []);
  for (let start = 0; start < (short ? 2 : STARTS); start += 1) {
    note(`start ${start + 1}`);
    for (const [i, kind] of kinds.entries()) {
      const contender = await startContender(kind, realm.settings, cores);
      times[i]?.push(contender.readyMs);
      await contender.stop();
    }
  }

  const rows: (string | number)[][] = [];
  for (const [i, kind] of kinds.entries()) {
    note(`memory: ${kind.title}`);
    const contender = await startContender(kind, realm.settings, cores);
    const { rssBytes: atStart } = await contender.usage();
    const headers = await makeHeaders(contender, realm, short ? 100 : TOKENS);
    const answerBytes = await checkAnswers(contender, SECURE_QUERY, headers[0] ?? '');
    const file = await writeRequests(folder, headers, [{ query: SECURE_QUERY.query }]);
    const target = {
      contender,
      connections: CONNECTIONS,
      answerBytes,
      supply: inRotation(file, headers.length),
    };
    await loadSlice(target, 0, { generator, seconds: short ? 1 : LOAD_SECONDS });
    const { rssBytes: afterLoad } = await contender.usage();
    await contender.stop();
    rows.push([kind.title, median(times[i] ?? []), atStart / MEGABYTE, afterLoad / MEGABYTE]);
  }
  return {
    markdown: formatTable(
      'Start-up and memory',
      ['start, ms', 'MB at start', `MB after ${short ? 1 : LOAD_SECONDS} s of load`],
      rows,
    ),
  };
};
