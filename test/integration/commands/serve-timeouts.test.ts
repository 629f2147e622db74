// Time limits for connections of `bandha serve`.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';

const BODY = '{"query":"{ viewer { id } }"}';
const head = (...headers: string[]) =>
  ['POST /graphql HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', ...headers, '', ''].join(
    '\r\n',
  );
const WHOLE = head(`Content-Length: ${BODY.length}`) + BODY;

/** Sends the text. @returns everything received until the server closes the connection */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let received = '';
  socket.on('data', (data) => {
    received += data;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return received;
}

async function withServer(env: Record<string, string>, use: (port: number) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const server = await startServerProcess(serverEnv(folder, env), folder);
    try {
      await use(Number(new URL(server.url).port));
    } finally {
      await server.stop();
    }
  });
}

it('bandha serve keeps idle connections for 75 seconds, longer than most balancers', () =>
  withServer({}, async (port) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.write(WHOLE);
    const [response] = await once(socket, 'data');
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
    expect(response).toMatch(/^keep-alive: timeout=75\r$/im);
    // The connection is still open for another request.
    socket.write(WHOLE);
    expect((await once(socket, 'data'))[0]).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  }));

it('bandha serve closes idle connections and late bodies after the configured times', () =>
  withServer({ BANDHA_KEEP_ALIVE_SECONDS: '1', BANDHA_BODY_TIMEOUT_SECONDS: '1' }, async (port) => {
    expect(await talk(port, WHOLE)).toMatch(/^HTTP\/1\.1 200 .*^keep-alive: timeout=1\r$/ims);
    expect(await talk(port, head('Content-Length: 100') + BODY)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await talk(port, `${head('Transfer-Encoding: chunked')}5\r\n{"que\r\n`)).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  }));
