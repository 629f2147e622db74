// Which faults mean that PostgreSQL cannot be had, which that it is busy, and which are somebody's mistake.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { classifyPostgresError } from '../../../src/storage/postgres/dialect.ts';

/** What the server answers with a SQLSTATE (PostgreSQL's manual, appendix A). */
function answer(code: string): Error {
  return Object.assign(new pg.DatabaseError('message', 7, 'error'), { code });
}

/** Lends the port of a server that says goodbye to everyone at once. */
async function withRudeServer<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.on('error', () => {}).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port); // a TCP server that listens has one
  } finally {
    server.close();
  }
}

describe('an outage of PostgreSQL', () => {
  it.each([
    ['a connection that failed', '08006'],
    ['too many connections', '53300'],
    ['a full disk', '53100'],
    ['a shutdown', '57P01'],
    ['a crash', '57P02'],
    ['a start that goes on', '57P03'],
    ['a fault of the disk', '58030'],
    ['a standby that takes no writes', '25006'],
  ])('is %s: %s', (_, code) => {
    expect(classifyPostgresError(answer(code))).toBe('outage');
  });

  it.each([
    ['a statement that took too long', '57014'],
    ['a transaction that lay idle for too long', '25P03'],
    ['a deadlock', '40P01'],
    ['transactions that cannot be put in order', '40001'],
  ])('is over at once where it is %s: %s', (_, code) => {
    expect(classifyPostgresError(answer(code))).toBe('momentary');
  });

  it.each([
    ['a wrong password', '28P01'],
    ['a database that is missing', '3D000'],
    ['a table that is missing', '42P01'],
    ['a permission that is missing', '42501'],
    ['something that is there twice', '23505'],
    ['a mistake in a statement', '42601'],
    ['text that is none', '22021'],
  ])('is not %s: %s', (_, code) => {
    expect(classifyPostgresError(answer(code))).toBe('fault');
  });

  it('is a port where nobody listens', async () => {
    const port = await withRudeServer(async (port) => port);
    const [error] = await once(connect(port, '127.0.0.1'), 'error').catch((fault) => [fault]);
    expect(classifyPostgresError(error)).toBe('outage');
    expect(classifyPostgresError(new AggregateError([error, error]))).toBe('outage');
    expect(classifyPostgresError(new AggregateError([error, new Error('another')]))).toBe('fault');
  });

  it('is a write to a server that has said goodbye', () =>
    withRudeServer(async (port) => {
      const socket = connect(port, '127.0.0.1').resume();
      await once(socket, 'close');
      const error = await new Promise((resolve) => socket.write('a query', resolve));
      expect(classifyPostgresError(error)).toBe('outage');
    }));

  it('is a goodbye before a connection is secure', () =>
    withRudeServer(async (port) => {
      const error = await new Promise((resolve) => connectTls(port, '127.0.0.1').on('error', resolve));
      expect(classifyPostgresError(error)).toBe('outage');
    }));

  it.each([
    new Error('something else'),
    new TypeError('a mistake of ours'),
    Object.assign(new Error('another'), { code: 'ERR_INVALID_ARG_TYPE' }),
    'no error at all',
    undefined,
  ])('is nothing else: %s', (error) => {
    expect(classifyPostgresError(error)).toBe('fault');
  });
});
