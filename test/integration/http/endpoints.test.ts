// Checks the JWK Set for other services, and the health checks for load balancers.
import { createYoga } from 'graphql-yoga';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { useHealthCheck } from '../../../src/http/plugins/use-health-check.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('GET /.well-known/jwks.json', () => {
  it('serves the keys to verify an access token (RFC 7517, section 5)', async () => {
    const { accessToken, user } = await register(server.url);
    const response = await fetch(`${server.url}/.well-known/jwks.json`);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    const keys = createLocalJWKSet(await response.json());
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
      issuer: 'http://localhost:4000',
      audience: 'bandha',
      typ: 'at+jwt',
      currentDate: server.clock.now,
    });
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toMatchObject({
      sub: user.id,
      roles: [],
      scope: '',
      sid: expect.any(String),
      jti: expect.any(String),
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(600);
    expect(payload.auth_time).toBe(payload.iat);
  });

  it('serves the next signing key too, cacheable for five minutes', async () => {
    const response = await fetch(`${server.url}/.well-known/jwks.json`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = await response.json();
    const rows = await server.bandha.store.listSigningKeys();
    expect(rows.map(({ status }) => status).toSorted()).toEqual(['current', 'next']);
    expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual(rows.map(({ kid }) => kid));
    for (const key of keys) expect(key).not.toHaveProperty('d');
  });

  it('rejects POST with 405', async () => {
    const response = await fetch(`${server.url}/.well-known/jwks.json`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('the health checks', () => {
  it('report ready while store, keys and revocation feed work', async () => {
    const live = await fetch(`${server.url}/health/live`);
    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await fetch(`${server.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ok', checks: { store: 'ok', keys: 'ok', revocations: 'ok' } },
    ]);
  });

  it('report not ready without the store, and a failed revocation feed after 5 s', async () => {
    const local = await startTestServer();
    const check = async () => {
      const response = await fetch(`${local.url}/health/ready`);
      return [response.status, await response.json()];
    };
    await local.bandha.store.close();
    const failing = (revocations: string) => [
      503,
      { status: 'unavailable', checks: { store: 'failed', keys: 'ok', revocations } },
    ];
    expect(await check()).toEqual(failing('ok'));
    const { now } = performance;
    const later = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 5_000);
    expect(await check()).toEqual(failing('failed'));
    expect((await fetch(`${local.url}/health/live`)).status).toBe(200);
    later.mockRestore();
    await local.close();
  });

  it('report a check that never ends as failed', async () => {
    const yoga = createYoga({
      plugins: [useHealthCheck({ stuck: () => new Promise(() => {}) }, 5)],
      logging: false,
    });
    const ready = await yoga.fetch('http://test/health/ready');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', checks: { stuck: 'failed' } },
    ]);
  });
});
