// Classification of PostgreSQL errors: outage, transient or other.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { classifyPostgresError } from '../../../src/storage/postgres/errors.ts';

/** An error response of the server with a SQLSTATE (PostgreSQL manual, appendix A). */
function databaseError(code: string): Error {
  return Object.assign(new pg.DatabaseError('message', 7, 'error'), { code });
}

/** Runs `use` with the port of a server that closes every connection at once. */
async function withClosingServer<T>(run: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.on('error', () => {}).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await run((server.address() as AddressInfo).port); // a TCP server that listens has one
  } finally {
    server.close();
  }
}

describe('classifyPostgresError', () => {
  it.each([
    ['a failed connection', '08006'],
    ['too many connections', '53300'],
    ['a full disk', '53100'],
    ['a shutdown', '57P01'],
    ['a crash', '57P02'],
    ['a server that is starting', '57P03'],
    ['a disk error', '58030'],
    ['a read-only standby', '25006'],
  ])('classifies %s as an outage: %s', (_, code) => {
    expect(classifyPostgresError(databaseError(code))).toBe('outage');
  });

  it.each([
    ['a statement timeout', '57014'],
    ['an idle transaction timeout', '25P03'],
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
  ])('classifies %s as transient: %s', (_, code) => {
    expect(classifyPostgresError(databaseError(code))).toBe('transient');
  });

  it.each([
    ['a wrong password', '28P01'],
    ['a missing database', '3D000'],
    ['a missing table', '42P01'],
    ['a missing permission', '42501'],
    ['a unique violation', '23505'],
    ['a syntax error', '42601'],
    ['an invalid byte sequence', '22021'],
  ])('classifies %s as another error: %s', (_, code) => {
    expect(classifyPostgresError(databaseError(code))).toBe('other');
  });

  it('a refused connection is an outage, unless another error accompanies it', async () => {
    const port = await withClosingServer(async (port) => port);
    const [error] = await once(connect(port, '127.0.0.1'), 'error').catch((cause) => [cause]);
    expect(classifyPostgresError(error)).toBe('outage');
    expect(classifyPostgresError(new AggregateError([error, error]))).toBe('outage');
    expect(classifyPostgresError(new AggregateError([error, new Error('another')]))).toBe('other');
  });

  it('classifies a write to a closed connection as an outage', () =>
    withClosingServer(async (port) => {
      const socket = connect(port, '127.0.0.1').resume();
      await once(socket, 'close');
      const error = await new Promise((resolve) => socket.write('a query', resolve));
      expect(classifyPostgresError(error)).toBe('outage');
    }));

  it('classifies a connection closed during the TLS handshake as an outage', () =>
    withClosingServer(async (port) => {
      const error = await new Promise((resolve) => connectTls(port, '127.0.0.1').on('error', resolve));
      expect(classifyPostgresError(error)).toBe('outage');
    }));

  it.each([
    new Error('something else'),
    new TypeError('a mistake of ours'),
    Object.assign(new Error('another'), { code: 'ERR_INVALID_ARG_TYPE' }),
    'no error at all',
    undefined,
  ])('classifies errors of the program as another error: %s', (error) => {
    expect(classifyPostgresError(error)).toBe('other');
  });
});
