// Requests with which a caller without an account would fill a server's memory if its caches were not bounded.
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import {
  invalidDocument,
  invalidShortDocument,
  validDocument,
  validShortDocument,
} from '../../test/support/long-documents.ts';
import { JSON_TYPE, type RequestOptions, send } from '../support/http.ts';

/** Each sends one request at a time. */
const CONNECTIONS = 2;
/** Longest URL, in characters: Node accepts heads of 16 kB. */
const MAX_QUERY_LENGTH = 13_000;

/** Creates the nth request. */
export type CreateRequest = (i: number) => RequestOptions & { search?: string };
/** Number of responses by status. */
export type StatusCounts = ReadonlyMap<number, number>;

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
/** A header that forms of other sites cannot send. */
const PREFLIGHT = { 'graphql-preflight': '1' };
const formType = { 'content-type': 'application/x-www-form-urlencoded', ...PREFLIGHT };

/** By name: every document is different, half of them are invalid. */
export const DOCUMENTS: Readonly<Record<string, CreateRequest>> = {
  'POST, fast path': (i) => ({ headers: JSON_TYPE, body: json(short(i)) }),
  'POST, long document': (i) => ({ headers: JSON_TYPE, body: json(long(i)) }),
  GET: (i) => ({ search: `?query=${encodeURI(inUrl(i)).replaceAll('%20', '+')}` }),
  'POST, chunked': (i) => ({
    headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    body: json(long(i)),
  }),
  'POST, application/graphql': (i) => ({ headers: { 'content-type': 'application/graphql' }, body: long(i) }),
  'POST, form': (i) => ({ headers: formType, body: new URLSearchParams({ query: long(i) }).toString() }),
};

export const MULTIPART: CreateRequest = (i) => ({
  headers: { 'content-type': 'multipart/form-data; boundary=b', ...PREFLIGHT },
  body: multipart(long(i)),
});

/** Denied operations, whose errors are cached. */
export const DENIED: CreateRequest = (i) => ({
  headers: JSON_TYPE,
  body: json(`{ s${i}: secureData { message } ${validDocument(i).slice(1)}`),
});

/** Sends the requests from number `from` to `from + count`. */
export async function sendAll(
  origin: string,
  { from, count, create }: { from: number; count: number; create: CreateRequest },
): Promise<StatusCounts> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const statuses = new Map<number, number>();
  let next = from;
  const sendNext = async () => {
    while (next < from + count) {
      const { search = '', ...options } = create(next++);
      const { status } = await send(`${origin}/graphql${search}`, { agent, ...options });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sendNext));
  agent.destroy();
  return statuses;
}

/** Opens connections that each send a part of a body and stop, and waits until the server has closed all of them. */
export async function sendUnfinished(port: number, count: number, bytes: number): Promise<StatusCounts> {
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Content-Length: 100000',
  ].join('\r\n');
  const request = `${head}\r\n\r\n${' '.repeat(bytes)}`;
  const statuses = new Map<number, number>();
  const open = async () => {
    const socket: Socket = connect(port, '127.0.0.1');
    let status = 0;
    socket.on('error', () => {}); // a connection that is rejected may be reset
    socket.on('data', (data) => {
      status ||= Number(data.toString('latin1').slice(9, 12));
    });
    socket.write(request);
    await once(socket, 'close');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: count }, open));
  return statuses;
}
