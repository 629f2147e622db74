// Requests by which a caller without an account would fill the memory of a server, if it were not bounded.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import {
  invalidDocument,
  invalidShortDocument,
  validDocument,
  validShortDocument,
} from '../../test/support/long-documents.ts';

/** Requests at a time; one connection each. */
const AT_ONCE = 2;
/** Longest URL, in characters: Node accepts heads of 16 kB. */
const MAX_QUERY_LENGTH = 13_000;

interface Sent {
  method?: 'GET';
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

const long = (i: number) => (i % 2 === 0 ? validDocument(i) : invalidDocument(i));
const short = (i: number) => (i % 2 === 0 ? validShortDocument(i) : invalidShortDocument(i));
const json = (query: string) => JSON.stringify({ query });
const inUrl = (i: number) =>
  short(i)
    .slice(0, MAX_QUERY_LENGTH)
    .replace(/ [^ ]*$/, i % 2 === 0 ? '}}' : '}');
const multipart = (query: string) =>
  ['--b', 'Content-Disposition: form-data; name="operations"', '', json(query), '--b']
    .concat('Content-Disposition: form-data; name="map"', '', '{}', '--b--', '')
    .join('\r\n');
const JSON_TYPE = { 'content-type': 'application/json' };
/** What forms of another site cannot send. */
const PREFLIGHT = { 'graphql-preflight': '1' };
const formType = { 'content-type': 'application/x-www-form-urlencoded', ...PREFLIGHT };

/** By name: different documents, half of them invalid, each of them sent once. */
export const DOCUMENTS: Readonly<Record<string, (i: number) => Sent>> = {
  'POST, fast path': (i) => ({ headers: JSON_TYPE, body: json(short(i)) }),
  'POST, long document': (i) => ({ headers: JSON_TYPE, body: json(long(i)) }),
  GET: (i) => ({ method: 'GET', path: `/graphql?query=${encodeURI(inUrl(i)).replaceAll('%20', '+')}` }),
  'POST, chunked': (i) => ({
    headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    body: json(long(i)),
  }),
  'POST, application/graphql': (i) => ({ headers: { 'content-type': 'application/graphql' }, body: long(i) }),
  'POST, form': (i) => ({ headers: formType, body: new URLSearchParams({ query: long(i) }).toString() }),
};

export const MULTIPART = (i: number): Sent => ({
  headers: { 'content-type': 'multipart/form-data; boundary=b', ...PREFLIGHT },
  body: multipart(long(i)),
});

/** Operations that are denied: their errors are kept. */
export const DENIED = (i: number): Sent => ({
  headers: JSON_TYPE,
  body: json(`{ s${i}: secureData { message } ${validDocument(i).slice(1)}`),
});

/** Sends requests number `from` to `from + count`, and gives how many were answered with each status. */
export async function sendAll(
  port: number,
  { from, count, make }: { from: number; count: number; make: (i: number) => Sent },
): Promise<Map<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const statuses = new Map<number, number>();
  let next = from;
  const sendNext = async () => {
    while (next < from + count) {
      const { method = 'POST', path = '/graphql', headers, body } = make(next++);
      const length = body !== undefined && headers?.['transfer-encoding'] === undefined;
      const sent = request({
        host: '127.0.0.1',
        port,
        agent,
        method,
        path,
        headers: { ...headers, ...(length && { 'content-length': Buffer.byteLength(body) }) },
      });
      sent.end(body);
      const [response] = await once(sent, 'response');
      statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
      await once(response.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
  agent.destroy();
  return statuses;
}

/** Opens connections that send a part of a body and then nothing, and waits until the server has closed all of them. */
export async function sendUnfinished(
  port: number,
  count: number,
  bytes: number,
): Promise<Map<number, number>> {
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Content-Length: 100000',
  ].join('\r\n');
  const text = `${head}\r\n\r\n${' '.repeat(bytes)}`;
  const statuses = new Map<number, number>();
  const open = async () => {
    const socket: Socket = connect(port, '127.0.0.1');
    let status = 0;
    socket.on('error', () => {}); // a connection that is rejected may be reset
    socket.on('data', (data) => {
      status ||= Number(data.toString('latin1').slice(9, 12));
    });
    socket.write(text);
    await once(socket, 'close');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: count }, open));
  return statuses;
}
