// For how long can one request of 100 kB or less delay `GET /health/live`? `bandha serve` is pinned to one core; requests
// come one after the other from another core, each with a text that is new to the server.
// Run: npm run worst-document --workspace bench [-- NAME]   Exits with 1 if the goal is missed.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { serverEnv, withFolder } from '../test/support/server-process.ts';
import { createClient, type HttpResponse, JSON_TYPE, send } from './support/http.ts';
import { BANDHA_SERVE, checkHealthDuring, type ServerProcess, startServer } from './support/server.ts';
import { median } from './support/statistics.ts';
import { formatTable } from './support/table.ts';
import { WORST_REQUESTS, type WorstRequest } from './worst-document/documents.ts';

const RUNS = 4;
const SESSIONS = 100;
const GOAL_MS = 250;
const HEALTH_INTERVAL_MS = 2;
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery staple' };

await withFolder(async (folder) => {
  const server = await startServer(['taskset', '-c', '0', ...BANDHA_SERVE], serverEnv(folder));
  try {
    await measureAll(server);
  } finally {
    await server.stop();
  }
});

async function measureAll(server: ServerProcess): Promise<void> {
  const authorization = `Bearer ${await signIn(server)}`;
  const agent = new Agent({ keepAlive: true });
  const rows: (string | number)[][] = [];
  let worstMs = 0;
  for (const worst of WORST_REQUESTS.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
    const delays: number[] = [];
    const cpuTimes: number[] = [];
    let last: HttpResponse | undefined;
    for (let run = 0; run < RUNS; run += 1) {
      const { type, body } = toBody(worst, run);
      const before = readCpuMs(server);
      const times = await checkHealthDuring(server, { intervalMs: HEALTH_INTERVAL_MS }, async () => {
        const headers = { 'content-type': type, authorization };
        last = await send(`${server.origin}/graphql`, { agent, body, headers });
      });
      delays.push(Math.max(...times));
      cpuTimes.push(readCpuMs(server) - before);
    }
    const figures = [median(delays), Math.max(...delays), Math.max(...cpuTimes)].map(Math.round);
    // On a busy machine a delay includes other work; the CPU time does not.
    worstMs = Math.max(worstMs, Math.min(figures[1] ?? 0, figures[2] ?? 0));
    const { status = 0, text = '' } = last ?? {};
    rows.push([worst.name, status, describe(text), Buffer.byteLength(text), ...figures]);
  }
  agent.destroy();
  const columns = ['status', 'result', 'response bytes', 'delay, median', 'at most', 'CPU at most'];
  console.log(formatTable('Request, ms', columns, rows));
  console.log(`\nThe worst: ${worstMs} ms; the goal: at most ${GOAL_MS} ms.`);
  if (worstMs > GOAL_MS) process.exitCode = 1;
}

/** CPU time of the server's main thread so far. */
function readCpuMs({ pid }: ServerProcess): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

/** @returns an access token of an account with as many sessions as `sessions` lists, all with long user agents */
async function signIn({ origin }: ServerProcess): Promise<string> {
  const client = createClient(origin, { headers: { 'user-agent': 'x'.repeat(4_000) } });
  let token = '';
  for (let i = 0; i < SESSIONS; i += 1) {
    const field = i === 0 ? 'register' : 'login';
    const mutation = `mutation ($email: String!, $password: String!) { ${field}(email: $email, password: $password) { accessToken } }`;
    const { body } = await client.send(mutation, ACCOUNT);
    if (body.errors !== undefined) throw new Error(`${field}: ${JSON.stringify(body)}`);
    token = body.data[field].accessToken;
  }
  client.close();
  return token;
}

/** Appends a comment that the server has not seen. */
function toBody({ query, variables, operationName, raw }: WorstRequest, run: number) {
  if (raw !== undefined) return raw;
  return {
    type: JSON_TYPE['content-type'],
    body: JSON.stringify({ query: `${query} #${run}`, variables, operationName }),
  };
}

/** The error's reason or code, `data`, or the beginning of another response. */
function describe(text: string): string {
  const code = /"(?:reason|code)":"(\w+)"/.exec(text)?.[1];
  return code ?? (text.startsWith('{"data"') ? 'data' : text.slice(0, 30));
}
