// Measures requests by the size of the query, one field in four protected, and a list of 1,000 objects.
import { LIST_QUERIES, SIZES, sizedQuery } from '../../contenders/schema.ts';
import { selectContenders } from '../contenders.ts';
import { cpuMicros, cpuRatio, measureMatrix, perSecond } from '../matrix.ts';
import { repeatRequests, writeRequests } from '../requests.ts';
import { createIssuer, type Part } from '../setup.ts';
import { withContenders } from '../start-contender.ts';

const CONNECTIONS = 10;

export const measureQuerySize: Part = async (setup) => {
  const sizes = setup.short ? SIZES.filter((size) => size === 1 || size >= 400) : SIZES;
  const queries = [
    ...sizes.map((size) => ({ title: size.toLocaleString('en'), query: sizedQuery(size) })),
    { title: '1,000 objects, all protected', query: LIST_QUERIES.whole },
    { title: '… one field of each', query: LIST_QUERIES.fields },
  ];
  const cases = queries.map(({ title, query }) => ({
    title,
    query,
    connections: CONNECTIONS,
    createSource: async (_: unknown, header: string) =>
      repeatRequests(await writeRequests(setup.folder, [header], [{ query: query.query }]), 1),
  }));
  const issuer = await createIssuer(setup);
  const kinds = selectContenders('echo', 'bandha', 'mercurius', 'yoga', 'apollo');
  const pin = setup.cores.pinTo('server');
  const starts = kinds.map((kind) => ({ kind, settings: issuer.settings, pin }));
  return withContenders(starts, async (contenders) => {
    const matrix = await measureMatrix(contenders, cases, issuer, setup);
    const tables = [
      matrix.table('CPU time per request, µs, by fields selected', cpuMicros),
      matrix.table('CPU time per request ÷ Bandha’s', cpuRatio),
      matrix.table('Requests per second', perSecond),
    ];
    return { markdown: tables.join('\n\n') };
  });
};
