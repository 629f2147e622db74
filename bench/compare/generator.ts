// Generates load with wrk if it is installed, since it takes the least CPU time, and with autocannon otherwise.
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { requireContender } from './install-contenders.ts';

export interface Load {
  port: number;
  connections: number;
  seconds: number;
  /** A file with one request per line: a header, a tab, the body. They are sent in turn. */
  file: string;
  /** Index of the first request. @default 0 */
  first?: number;
}

export interface LoadResult {
  /** Responses received. */
  requests: number;
  seconds: number;
  bytes: number;
  p99Ms: number;
  /** Requests begun; some got no response before the end. */
  sent: number;
  /** CPU time of the generator itself. */
  cpuSeconds: number;
  /** Responses with a status of 400 or more. */
  errorResponses: number;
  failedConnections: number;
}

export interface Generator {
  name: string;
  run(load: Load): Promise<LoadResult>;
}

const SCRIPT = resolve(import.meta.dirname, 'wrk.lua');

export function findGenerator(): Generator {
  const { stdout, status } = spawnSync('wrk', ['-v'], { encoding: 'utf8' });
  const version = /^wrk (?:debian\/)?([\d.]+)/.exec(stdout ?? '')?.[1];
  if (status !== null && version !== undefined) return { name: `wrk ${version}`, run: runWrk };
  const { version: released } = requireContender<{ version: string }>('autocannon/package.json');
  return { name: `autocannon ${released}`, run: runAutocannon };
}

async function runWrk({ port, connections, seconds, file, first = 0 }: Load): Promise<LoadResult> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', SCRIPT];
  const { stdout } = await promisify(execFile)('wrk', [
    ...options,
    `http://127.0.0.1:${port}/graphql`,
    '--',
    file,
    String(first),
  ]);
  const result = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (result === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  return JSON.parse(result);
}

/** The part of autocannon that is used. */
type Autocannon = (options: object) => Promise<{
  requests: { total: number; sent: number };
  duration: number;
  throughput: { total: number };
  latency: { p99: number };
  non2xx: number;
  errors: number;
}>;

async function runAutocannon({ port, connections, seconds, file, first = 0 }: Load): Promise<LoadResult> {
  const autocannon = requireContender<Autocannon>('autocannon');
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  let index = first;
  const setupRequest = (request: object) => {
    const [header = '', body = ''] = lines[index % lines.length]?.split('\t') ?? [];
    const [name = '', value = ''] = header.split(': ');
    index += 1;
    const headers = { 'content-type': 'application/json', ...(name !== '' && { [name]: value }) };
    return { ...request, method: 'POST', path: '/graphql', headers, body };
  };
  const before = process.cpuUsage();
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/graphql`,
    connections,
    duration: seconds,
    timeout: 30,
    requests: [{ setupRequest }],
  });
  const { user, system } = process.cpuUsage(before);
  return {
    requests: result.requests.total,
    seconds: result.duration,
    bytes: result.throughput.total,
    p99Ms: result.latency.p99,
    sent: result.requests.sent,
    cpuSeconds: (user + system) / 1e6,
    errorResponses: result.non2xx,
    failedConnections: result.errors,
  };
}
