// Checks which responses pages of other sites can read, on every listener.
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

const Origin = 'https://evil.example';
const PRIVATE = [
  '/metrics',
  '/metrics?a=/graphql',
  '/health/live',
  '/health/ready',
  '/health',
  '/graphiql/requirements.json',
  '/graphiql/none.js',
];
const PREFLIGHT = {
  Origin,
  'Access-Control-Request-Method': 'GET',
  'Access-Control-Request-Headers': 'authorization',
};

let bandha: Bandha;
const open: Record<string, Listening> = {};
beforeAll(async () => {
  bandha = await createTestBandha();
  for (const [name, listenerOf] of Object.entries(LISTENERS)) open[name] = await listen(listenerOf(bandha));
  open['bandha.yoga'] = await listen(bandha.yoga);
});
afterAll(async () => {
  for (const { close } of Object.values(open)) close();
  await bandha.close();
});

async function corsHeaders(url: string, init: RequestInit): Promise<string[]> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));
}

describe.each([...Object.keys(LISTENERS), 'bandha.yoga'])('%s', (way) => {
  const url = () => open[way]?.url ?? '';

  it('a 405 has no CORS headers of an earlier request', async () => {
    const jwks = `${url()}/.well-known/jwks.json`;
    await corsHeaders(jwks, { method: 'POST', headers: { Origin } });
    expect((await fetch(`${url()}/metrics`, { method: 'POST' })).status).toBe(405);
    expect(await corsHeaders(`${url()}/metrics`, { method: 'POST' })).toEqual([]);
    const response = await fetch(jwks, { method: 'POST' });
    expect(response.headers.get('access-control-allow-origin')).not.toBe(Origin);
  });

  it.each(PRIVATE)('%s is not readable by other origins', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      expect(await corsHeaders(`${url()}${path}`, { method, headers: { Origin } })).toEqual([]);
    }
    expect(await corsHeaders(`${url()}${path}`, { method: 'OPTIONS', headers: PREFLIGHT })).toEqual([]);
  });

  it.each(['/graphql?query={__typename}', '/.well-known/jwks.json'])(
    '%s is readable by other origins',
    async (path) => {
      const headers = await corsHeaders(`${url()}${path}`, { headers: { Origin } });
      expect(headers).toContain('access-control-allow-origin');
      const preflight = await corsHeaders(`${url()}${path}`, { method: 'OPTIONS', headers: PREFLIGHT });
      expect(preflight).toContain('access-control-allow-origin');
    },
  );
});

it.each(['/', '/nope', '/admin/graphql', '/graphql/x'])(
  '%s of Bandha’s own server is not readable by other origins',
  async (path) => {
    for (const way of ['bandha.listener', 'bandha.yoga']) {
      const url = `${open[way]?.url}${path}`;
      expect(await corsHeaders(url, { headers: { Origin }, redirect: 'manual' })).toEqual([]);
      expect(await corsHeaders(url, { method: 'OPTIONS', headers: PREFLIGHT })).toEqual([]);
    }
  },
);

it('paths of an application’s plugins keep the headers of its option `cors`', async () => {
  const route: Plugin = {
    onRequest: ({ url, fetchAPI, endResponse }) => {
      if (url.pathname === '/graphql/stream') endResponse(new fetchAPI.Response('ok'));
    },
  };
  const { url, close } = await listen(createListener(createOwnYoga(bandha, { plugins: [route] }), bandha));
  expect(await corsHeaders(`${url}/graphql/stream`, { headers: { Origin } })).toContain(
    'access-control-allow-origin',
  );
  close();
});

it('a Yoga server without Bandha’s listener keeps private paths unreadable', async () => {
  const yoga = createYoga({ schema: bandha.schema, plugins: bandha.plugins, logging: false });
  for (const path of PRIVATE) {
    const response = await yoga.fetch(`http://localhost${path}`, { headers: { Origin } });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});
