// Checks where the metrics are served: on the port of the endpoint, on a separate port, or nowhere.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Bandha } from '../../../src/bandha.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { createTestBandha, LISTENERS, listen } from '../../support/own-yoga.ts';
import { request, sendBytes } from '../../support/raw-request.ts';
import { runBandha, serverEnv, withFolder } from '../../support/server-process.ts';

/** Finds a port that is not in use. */
async function findFreePort(): Promise<number> {
  const { port, close } = await listen(() => {});
  close();
  return port;
}

async function statusesOf(bandha: Bandha): Promise<number[]> {
  const statuses: number[] = [];
  for (const listenerOf of Object.values(LISTENERS)) {
    const { url, close } = await listen(listenerOf(bandha));
    statuses.push((await fetch(`${url}/metrics`)).status);
    close();
  }
  return statuses;
}

it.each([
  [undefined, [200, 200, 200]],
  [true, [200, 200, 200]],
  [false, [404, 404, 404]],
])('the option `metrics: %s` gives /metrics the statuses %j', async (metrics, expected) => {
  const bandha = await createTestBandha(metrics === undefined ? {} : { metrics });
  expect(await statusesOf(bandha)).toEqual(expected);
  await bandha.close();
});

describe('a separate port for the metrics', () => {
  it('serves /metrics alone, and closes with the server', async () => {
    const port = await findFreePort();
    const bandha = await createTestBandha({ metrics: port, host: '127.0.0.1' });
    expect(await statusesOf(bandha)).toEqual([404, 404, 404]);
    const url = `http://127.0.0.1:${port}`;
    const response = await fetch(`${url}/metrics`, { headers: { Origin: 'https://evil.example' } });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('# TYPE');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    for (const path of ['/', '/graphql', '/health/live', '/metrics/', '//metrics']) {
      expect((await fetch(`${url}${path}`)).status).toBe(404);
    }
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    const absolute = request({ method: 'GET', path: `${url}/metrics` });
    expect(await sendBytes(port, [absolute])).toMatch(/^HTTP\/1\.1 200 /);
    await bandha.close();
    await expect(fetch(`${url}/metrics`)).rejects.toThrow();
  });

  it('a port in use causes a ConfigError and leaves nothing open', async () => {
    const taken = createServer(() => {}).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo; // a TCP server that listens has one
    await expect(createTestBandha({ metrics: port })).rejects.toMatchObject({
      name: 'ConfigError',
      issues: [expect.stringContaining(`port ${port} on 127.0.0.1 is in use`)],
    });
    await withFolder(async (folder) => {
      const { code, stderr } = await runBandha(['serve'], {
        env: serverEnv(folder, { BANDHA_METRICS: String(port) }),
        cwd: folder,
      });
      expect(code).toBe(2);
      expect(stderr).toContain('BANDHA_METRICS');
      expect(stderr).not.toMatch(/\n\s+at /);
    });
    taken.close();
  });
});

describe('BANDHA_METRICS', () => {
  it.each([
    ['on', true],
    ['off', false],
    ['9464', 9464],
    ['', true],
  ])('%j is read as %s', (text, expected) => {
    expect(loadConfig({ BANDHA_METRICS: text }).metrics).toBe(expected);
  });

  it.each(['0', '65536', '-1', '1e3', 'true', 'ON', ' 9464', '9464.5', '999999'])(
    'rejects the value %j',
    (text) => {
      expect(() => loadConfig({ BANDHA_METRICS: text })).toThrow(
        'BANDHA_METRICS: must be on, off or a port from 1 to 65535',
      );
    },
  );

  it('rejects the port that the server listens on', () => {
    const message = 'BANDHA_METRICS: must be another port than PORT';
    expect(() => loadConfig({ BANDHA_METRICS: '4000' })).toThrow(message);
    expect(() => loadConfig({ BANDHA_METRICS: '5000', PORT: '5000' })).toThrow(message);
    expect(loadConfig({ BANDHA_METRICS: '4000', PORT: '5000' }).metrics).toBe(4000);
  });
});
