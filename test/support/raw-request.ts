// Sends requests as bytes and returns responses as bytes, because a client library would correct invalid requests.
import { connect } from 'node:net';

export interface RawResponse {
  statusLine: string;
  /** Header lines in the order of arrival, without `Date`. */
  headers: string[];
  body: string;
}

/** Writes the chunks one after another, and reads until the server closes the connection. */
export function sendBytes(port: number, chunks: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (data) => received.push(Buffer.from(data)));
    socket.on('error', (error) => (received.length > 0 ? resolve(join(received)) : reject(error)));
    socket.on('close', () => resolve(join(received)));
    socket.on('connect', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
  });
}

/** Creates a request for a connection of its own. A header with the value `ABSENT` is omitted. */
export function request(
  head: { method?: string; path?: string; headers?: Record<string, string> },
  body: string | Buffer = '',
): Buffer {
  const { method = 'POST', path = '/graphql', headers = {} } = head;
  const all: Record<string, string> = {
    Host: 'localhost',
    Connection: 'close',
    ...(method === 'POST' && { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== 'ABSENT')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    Buffer.from(body),
  ]);
}

export function parseResponse(text: string): RawResponse {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...headers] = head.split('\r\n');
  return {
    statusLine,
    headers: headers.filter((header) => !/^date:/i.test(header)),
    body: rest.join('\r\n\r\n'),
  };
}

function join(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString('utf8');
}
