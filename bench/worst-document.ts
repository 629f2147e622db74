// npm run worst-document --workspace bench [-- NAME]: for how long one request of 100 kB or less keeps `/health/live` waiting. The server
// is `bandha serve`, pinned to one core; requests come one after the other from another core, each text new to the server.
// On a machine that does other things too, the CPU time of the server's main thread says what its own work is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serverEnv } from '../test/support/server-process.ts';
import { formatTable } from './support/table.ts';
import { WORST_REQUESTS, type WorstRequest } from './worst-document/documents.ts';

const RUNS = 4;
const SESSIONS = 100;
const LIMIT_MS = 250;
const PROBE_EVERY_MS = 2;
const MAIN = resolve(import.meta.dirname, '../src/cli.ts');
const PASSWORD = 'correct horse battery staple';

interface Sent {
  status: number;
  bytes: number;
  text: string;
  ms: number;
}

const folder = await mkdtemp(join(tmpdir(), 'bandha-worst-'));
const child = spawn('taskset', ['-c', '0', process.execPath, MAIN, 'serve'], {
  env: serverEnv(folder),
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = await addressOf(child);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const post = (body: string, headers: Record<string, string>) =>
    send(`${url}/graphql`, agent, { body, headers });
  const authorization = `Bearer ${await signIn(post)}`;
  const rows: (string | number)[][] = [];
  let worstMs = 0;
  for (const worst of WORST_REQUESTS.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
    const waits: number[] = [];
    const cpu: number[] = [];
    let last: Sent | undefined;
    for (let run = 0; run < RUNS; run += 1) {
      const { type, body } = bodyOf(worst, run);
      const before = cpuMs();
      const probing = probe(url);
      last = await post(body, { 'content-type': type, authorization });
      waits.push(await probing.stop());
      cpu.push(cpuMs() - before);
    }
    const round = (value = 0) => Math.round(value);
    const sorted = waits.toSorted((a, b) => a - b);
    const figures = [round(sorted[RUNS >> 1]), round(sorted.at(-1)), round(Math.max(...cpu))];
    worstMs = Math.max(worstMs, Math.min(figures[1] ?? 0, figures[2] ?? 0));
    rows.push([worst.name, last?.status ?? 0, code(last?.text), last?.bytes ?? 0, ...figures]);
  }
  console.log(
    formatTable(
      'How long `/health/live` waits, ms',
      ['request', 'status', 'result', 'bytes of it', 'median', 'at most', 'CPU at most'],
      rows,
    ),
  );
  console.log(`\nThe worst: ${worstMs} ms; the limit: ${LIMIT_MS} ms.`);
  if (worstMs > LIMIT_MS) process.exitCode = 1;
  agent.destroy();
} finally {
  child.kill();
  await once(child, 'exit');
  await rm(folder, { recursive: true, force: true });
}

async function addressOf({ stdout }: typeof child): Promise<string> {
  let output = '';
  for await (const chunk of stdout.setEncoding('utf8')) {
    output += chunk;
    const port = /http:\/\/localhost:(\d+)\/graphql/.exec(output)?.[1];
    if (port !== undefined) {
      stdout.resume();
      return `http://127.0.0.1:${port}`;
    }
  }
  throw new Error(`The server ended: ${output}`);
}

/** CPU time of the main thread so far. */
function cpuMs(): number {
  const [nanoseconds] = readFileSync(`/proc/${child.pid}/task/${child.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

/** An account with as many sessions as `sessions` lists. */
async function signIn(
  post: (body: string, headers: Record<string, string>) => Promise<Sent>,
): Promise<string> {
  const mutate = async (field: string) => {
    const query = `mutation { ${field}(email: "ada@example.com", password: "${PASSWORD}") { accessToken } }`;
    const headers = { 'content-type': 'application/json', 'user-agent': 'x'.repeat(4_000) };
    const { text } = await post(JSON.stringify({ query }), headers);
    const token: string | undefined = JSON.parse(text).data?.[field]?.accessToken;
    if (token === undefined) throw new Error(`${field}: ${text}`);
    return token;
  };
  let token = await mutate('register');
  for (let i = 1; i < SESSIONS; i += 1) token = await mutate('login');
  return token;
}

/** A text that the server has not seen. */
function bodyOf(
  { query, variables, operationName, raw }: WorstRequest,
  run: number,
): { type: string; body: string } {
  if (raw !== undefined) return raw;
  return {
    type: 'application/json',
    body: JSON.stringify({ query: `${query} #${run}`, variables, operationName }),
  };
}

/** Sends `GET /health/live` again and again. */
function probe(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let isStopped = false;
  let longest = 0;
  const probing = (async () => {
    while (!isStopped) {
      const { ms } = await send(`${url}/health/live`, agent);
      longest = Math.max(longest, ms);
      await new Promise((done) => setTimeout(done, PROBE_EVERY_MS));
    }
    agent.destroy();
  })();
  return {
    async stop() {
      isStopped = true;
      await probing;
      return longest;
    },
  };
}

async function send(
  url: string,
  agent: Agent,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Sent> {
  const started = performance.now();
  const req = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers });
  req.end(body);
  const [response] = await once(req, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode,
    bytes: bytes.length,
    text: bytes.toString(),
    ms: performance.now() - started,
  };
}

function code(text = ''): string {
  return (
    /"(?:reason|code)":"(\w+)"/.exec(text)?.[1] ?? (text.startsWith('{"data"') ? 'data' : text.slice(0, 30))
  );
}
