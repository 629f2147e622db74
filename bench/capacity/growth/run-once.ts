// One run: starts the servers, loads them in short slices in turn, stops them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contender, type ContenderName, type Contenders, ROWS, type RowName } from './contenders.ts';
import { type Load, openLoad } from './load.ts';
import { type Answer, type ServerUnderLoad, startServer } from './start-server.ts';

export interface Run {
  rows: Record<RowName, RowResult>;
  memory: Record<ContenderName, { started: Answer['memory']; warm: Answer['memory'] }>;
}

export interface RowResult {
  /** CPU time of a request, round by round. */
  micros: number[];
  /** Collections of the whole heap meanwhile. */
  collections: number;
}

const CONNECTIONS = 50;
const REQUESTS_PER_SLICE = 500;
/** Of a server, until what is compiled on the way is compiled. */
const WARM_UP_REQUESTS = 40_000;

export async function runOnce(
  contenders: Contenders,
  { rounds, folder }: { rounds: number; folder: string },
): Promise<Run> {
  const servers = new Map<ContenderName, ServerUnderLoad>();
  const run: Partial<Run['rows']> = {};
  const memory: Partial<Run['memory']> = {};
  try {
    for (const [name, contender] of Object.entries(contenders) as [ContenderName, Contender][]) {
      const server = await startServer(contender.place);
      servers.set(name, server);
      const started = await server.memory();
      await showTokens(server, contender, join(folder, 'tokens'));
      memory[name] = { started, warm: await server.memory() };
    }
    const underLoad = await openLoads(contenders, servers);
    for (const { server, load } of underLoad) {
      const loads = underLoad.filter((other) => other.server === server).length;
      await load.send(WARM_UP_REQUESTS / loads);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { server, load, result } of round % 2 === 0 ? underLoad : underLoad.toReversed()) {
        await loadSlice(server, load, result);
      }
    }
    for (const { name, load, result } of underLoad) {
      load.close();
      run[name] = result;
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
  return { rows: run as Run['rows'], memory: memory as Run['memory'] }; // every row and contender has had its turn
}

interface UnderLoad {
  name: RowName;
  server: ServerUnderLoad;
  load: Load;
  result: RowResult;
}

async function openLoads(
  contenders: Contenders,
  servers: ReadonlyMap<ContenderName, ServerUnderLoad>,
): Promise<UnderLoad[]> {
  const loads: UnderLoad[] = [];
  for (const name of Object.keys(ROWS) as RowName[]) {
    const { contender, takesAll } = ROWS[name];
    const server = servers.get(contender);
    if (server === undefined) throw new Error(`${contender} does not run`);
    const { tokens } = contenders[contender];
    const load = await openLoad(server.port, takesAll ? tokens : tokens.slice(0, 1), CONNECTIONS);
    loads.push({ name, server, load, result: { micros: [], collections: 0 } });
  }
  return loads;
}

async function loadSlice(server: ServerUnderLoad, load: Load, result: RowResult): Promise<void> {
  const before = await server.usage();
  await load.send(REQUESTS_PER_SLICE);
  const after = await server.usage();
  result.micros.push((after.cpuMicros - before.cpuMicros) / REQUESTS_PER_SLICE);
  result.collections += after.major - before.major;
}

async function showTokens(
  server: ServerUnderLoad,
  { shown, accepts }: Contender,
  file: string,
): Promise<void> {
  await writeFile(file, shown.join('\n'), 'latin1');
  const accepted = await server.warm(file);
  if (accepted !== accepts) throw new Error(`${accepted} tokens were accepted, not ${accepts}`);
}
