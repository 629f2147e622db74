// How long servers take to start.
import { median } from '../../support/statistics.ts';
import { type Settings, startServer } from './start-server.ts';

const STARTS = 5;

/** @returns for each store the median milliseconds from `createBandha` to listening, of starts in turn */
export async function measureStarts<Name extends string>(
  stores: Record<Name, Settings>,
): Promise<Record<Name, number>> {
  const names = Object.keys(stores) as Name[]; // its own keys
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let i = 0; i < STARTS; i += 1) {
    for (const name of names) {
      const server = await startServer(stores[name]);
      times[name].push(server.readyMs);
      await server.stop();
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}
