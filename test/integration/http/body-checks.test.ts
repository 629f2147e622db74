// Checks that bodies that are too long, compressed or sent by a form on another site are rejected by every listener.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { useContentEncoding } from '@whatwg-node/server';
import { createYoga, type Plugin } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createListener } from '../../../src/bandha.ts';
import {
  createOwnYoga,
  createTestBandha,
  LISTENERS,
  type Listening,
  listen,
} from '../../support/own-yoga.ts';
import { parseResponse, request, sendBytes } from '../../support/raw-request.ts';
import { GOOD_PASSWORD } from '../../support/test-server.ts';

const MAX_BODY_BYTES = 100_000;
const REGISTER = `mutation { register(email: "ada@example.com", password: "${GOOD_PASSWORD}") { tokenType } }`;
const MUTATION = 'mutation { logout(refreshToken: "x") }';
const json = (query: string) => JSON.stringify({ query });
const form = (query: string) => `${new URLSearchParams({ query })}`;
const BOUNDARY = 'boundary';
const multipart = (query: string, padding = '') =>
  [
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query })}\r\n`,
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n`,
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="a.txt"\r\n\r\n${padding}\r\n`,
    `--${BOUNDARY}--\r\n`,
  ].join('');
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

let bandha: Bandha;
const open: Record<string, Listening> = {};
beforeAll(async () => {
  bandha = await createTestBandha();
  for (const [name, listenerOf] of Object.entries(LISTENERS)) open[name] = await listen(listenerOf(bandha));
});
afterAll(async () => {
  for (const { close } of Object.values(open)) close();
  await bandha.close();
});

async function send(port: number, headers: Record<string, string>, body: string | Buffer, path = '/graphql') {
  const {
    statusLine,
    headers: received,
    body: response,
  } = parseResponse(await sendBytes(port, [request({ headers, path }, body)]));
  return { status: Number(statusLine.split(' ')[1]), headers: received, body: response };
}

/** Sends a body in chunks, without a Content-Length. */
async function sendChunked(port: number, type: string, body: string, more = ''): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\n${more}`;
  socket.on('error', () => {}); // the server may close the connection before the rest arrives
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  for (let i = 0; i < body.length; i += 16_384) {
    const part = body.slice(i, i + 16_384);
    socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
  }
  socket.write('0\r\n\r\n');
  return Number((await text(socket)).split(' ')[1]);
}

describe.each(Object.keys(LISTENERS))('%s', (way) => {
  const port = () => open[way]?.port ?? 0;

  it.each([
    ['application/x-www-form-urlencoded', form(REGISTER)],
    ['application/x-www-form-urlencoded;charset=utf-8', form(REGISTER)],
    ['application/x-www-form-urlencoded, application/json', form(REGISTER)],
    ['application/x-www-form-urlencoded, application/json', json(REGISTER)],
    ['text/plain', json(REGISTER)],
    ['text/plain; application/json', json(REGISTER)],
    ['text/plain, application/json', json(REGISTER)],
    ['ABSENT', json(REGISTER)],
    ['', json(REGISTER)],
    [MULTIPART, multipart(REGISTER)],
    [`${MULTIPART}, application/json`, multipart(REGISTER)],
  ])('rejects a body that a form on another site can send: %s', async (type, body) => {
    const { status } = await send(port(), { 'Content-Type': type, Origin: 'https://evil.example' }, body);
    expect([400, 415]).toContain(status);
    expect(await bandha.store.listUsers()).toEqual([]);
  });

  it('the error for a form names the header that allows it', async () => {
    const response = await send(
      port(),
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      form(MUTATION),
    );
    expect(response.body).toContain('x-graphql-yoga-csrf');
    expect(JSON.parse(response.body).errors[0].extensions).toEqual({ code: 'BAD_REQUEST' });
  });

  it.each([
    'x-graphql-yoga-csrf',
    'Apollo-Require-Preflight',
    'X-Apollo-Operation-Name',
    'GraphQL-Preflight',
    'GraphQL-Require-Preflight',
  ])('runs a form with the header %s', async (name) => {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(await send(port(), { ...type, [name]: '1' }, form(MUTATION))).toMatchObject({ status: 200 });
    expect(await send(port(), { ...type, [name]: '' }, form(MUTATION))).toMatchObject({ status: 400 });
  });

  it.each(['application/json', 'application/graphql+json'])(
    'runs a mutation of the type %s',
    async (type) => {
      expect(await send(port(), { 'Content-Type': type }, json(MUTATION))).toMatchObject({ status: 200 });
    },
  );

  it('runs a mutation of the type application/graphql', async () => {
    expect((await send(port(), { 'Content-Type': 'application/graphql' }, MUTATION)).status).toBe(200);
  });

  it('rejects a mutation by GET', async () => {
    for (const query of [MUTATION, `query A { viewer { id } } ${MUTATION.replace('{', 'B {')}`]) {
      const path = `/graphql?${new URLSearchParams({ query, operationName: query === MUTATION ? '' : 'B' })}`;
      const bytes = await sendBytes(port(), [request({ method: 'GET', path })]);
      expect(bytes).toMatch(/^HTTP\/1\.1 405 /);
    }
  });

  it.each([
    ['application/json', (bytes: number) => json(`{ viewer { id } } #${'x'.repeat(bytes)}`)],
    ['application/graphql', (bytes: number) => `{ viewer { id } } #${'x'.repeat(bytes)}`],
    ['application/x-www-form-urlencoded', (bytes: number) => form(`{ viewer { id } } #${'x'.repeat(bytes)}`)],
  ])('rejects a body of more than 100,000 bytes with 413: %s', async (type, make) => {
    const preflight = 'x-graphql-yoga-csrf';
    for (const bytes of [MAX_BODY_BYTES, 5_000_000]) {
      expect((await send(port(), { 'Content-Type': type, [preflight]: '1' }, make(bytes))).status).toBe(413);
    }
    expect(await sendChunked(port(), type, make(MAX_BODY_BYTES), `${preflight}: 1\r\n`)).toBe(413);
    expect(await sendChunked(port(), type, make(90_000), `${preflight}: 1\r\n`)).toBe(200);
  });

  const encodings: [string, Buffer][] = [
    ['gzip', gzipSync(json(MUTATION))],
    ['GZIP', gzipSync(json(MUTATION))],
    ['x-gzip', gzipSync(json(MUTATION))],
    ['br', brotliCompressSync(json(MUTATION))],
    ['deflate', deflateSync(json(MUTATION))],
    ['zstd', zstdCompressSync(json(MUTATION))],
    ['gzip, identity', gzipSync(json(MUTATION))],
    ['identity, gzip', gzipSync(json(MUTATION))],
    ['gzip', Buffer.from(json(MUTATION))],
    ['rot13', Buffer.from(json(MUTATION))],
    ['identityx', Buffer.from(json(MUTATION))],
    ['*', Buffer.from(json(MUTATION))],
  ];
  it.each(encodings)(
    'SHOULD reject the encoding %s with 415 and Accept-Encoding (RFC 9110, 15.5.16)',
    async (encoding, body) => {
      for (const type of ['application/json', 'application/graphql']) {
        const headers = { 'Content-Type': type, 'Content-Encoding': encoding };
        const response = await send(port(), headers, body);
        expect(response.status).toBe(415);
        expect(response.headers.join('\n').toLowerCase()).toContain('accept-encoding: identity');
        expect(JSON.parse(response.body).errors[0].extensions).toEqual({ code: 'BAD_REQUEST' });
      }
    },
  );

  it.each(['identity', 'Identity', '', 'identity, identity'])(
    'reads a body of the encoding %j',
    async (encoding) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding };
      expect((await send(port(), headers, json(MUTATION))).status).toBe(200);
    },
  );
});

describe('multipart bodies of an application that enables them', () => {
  let uploads: Bandha;
  let servers: Listening[];
  beforeAll(async () => {
    uploads = await createTestBandha({
      multipart: { maxBodyBytes: 1_000_000 },
      typeDefs: 'scalar File extend type Mutation { upload(file: File!): Int! }',
      resolvers: { Mutation: { upload: (_: unknown, { file }: { file: File }) => file.size } },
    });
    servers = await Promise.all(Object.values(LISTENERS).map((listenerOf) => listen(listenerOf(uploads))));
  });
  afterAll(async () => {
    for (const { close } of servers) close();
    await uploads.close();
  });

  const upload = (size: number) => {
    const body = new FormData();
    const query = 'mutation ($file: File!) { upload(file: $file) }';
    body.append('operations', JSON.stringify({ query, variables: { file: null } }));
    body.append('map', JSON.stringify({ 0: ['variables.file'] }));
    body.append('0', new File(['x'.repeat(size)], 'a.txt'));
    return body;
  };

  it('a multipart body with a preflight header uploads a file up to its limit', async () => {
    for (const { url } of servers) {
      const post = (size: number, headers: Record<string, string>) =>
        fetch(`${url}/graphql`, { method: 'POST', headers, body: upload(size) });
      const preflight = { 'apollo-require-preflight': '1' };
      expect(await (await post(500_000, preflight)).json()).toEqual({ data: { upload: 500_000 } });
      expect((await post(500_000, {})).status).toBe(400);
      expect((await post(1_000_000, preflight)).status).toBe(413);
    }
  });

  it('the limit of multipart bodies applies to no other body', async () => {
    for (const { port } of servers) {
      const body = json(`{ viewer { id } } #${'x'.repeat(MAX_BODY_BYTES)}`);
      expect((await send(port, { 'Content-Type': 'application/json' }, body)).status).toBe(413);
      expect(await sendChunked(port, 'application/json', body)).toBe(413);
    }
  });
});

it('maxBodyBytes sets the limit of other bodies', async () => {
  const large = await createTestBandha({ maxBodyBytes: 300_000 });
  for (const listenerOf of Object.values(LISTENERS)) {
    const { port, close } = await listen(listenerOf(large));
    const body = (bytes: number) => json(`{ viewer { id } } #${'x'.repeat(bytes)}`);
    expect((await send(port, { 'Content-Type': 'application/json' }, body(299_000))).status).toBe(200);
    expect((await send(port, { 'Content-Type': 'application/json' }, body(300_000))).status).toBe(413);
    close();
  }
  await large.close();
});

it.each([
  [{ maxBodyBytes: 0 }, 'maxBodyBytes'],
  [{ maxBodyBytes: Number.NaN }, 'maxBodyBytes'],
  [{ maxBodyBytes: '1mb' as unknown as number }, 'maxBodyBytes'],
  [{ multipart: true as unknown as { maxBodyBytes: number } }, 'multipart.maxBodyBytes'],
])('createBandha rejects the limits %j', async (limits, name) => {
  await expect(createTestBandha(limits)).rejects.toMatchObject({
    name: 'ConfigError',
    issues: [`${name}: must be a whole number of bytes, at least 1`],
  });
});

describe('a plugin that decompresses bodies', () => {
  it('the limit applies to the decompressed body', async () => {
    const yoga = createOwnYoga(bandha, { plugins: [useContentEncoding() as Plugin] });
    const { port, close } = await listen(createListener(yoga, bandha));
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    expect((await send(port, headers, gzipSync(json(MUTATION)))).status).toBe(200);
    const bomb = gzipSync(json(`{ viewer { id } } #${'x'.repeat(10_000_000)}`));
    expect(bomb.length).toBeLessThan(MAX_BODY_BYTES);
    expect((await send(port, headers, bomb)).status).toBe(413);
    close();
  });
});

it('the limit applies to a parser of another plugin', async () => {
  const parser: Plugin = {
    onRequestParse: ({ request: received, setRequestParser }) => {
      if (received.headers.get('content-type') !== 'application/x-query') return;
      setRequestParser(async (parsed) => ({ query: await parsed.text() }));
    },
  };
  for (const plugins of [
    [parser, ...bandha.plugins],
    [...bandha.plugins, parser],
  ]) {
    const yoga = createYoga({ schema: bandha.schema, plugins, logging: false });
    const { port, close } = await listen(createListener(yoga, bandha));
    expect(await sendChunked(port, 'application/x-query', '{ viewer { id } }')).toBe(200);
    expect(await sendChunked(port, 'application/x-query', `{ viewer { id } } #${'x'.repeat(200_000)}`)).toBe(
      413,
    );
    close();
  }
});
