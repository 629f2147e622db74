// Checks a proxy that serves Bandha below a path prefix and removes the prefix.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bandha } from '../../../src/bandha.ts';
import { createTestBandha, type Listening, listen } from '../../support/own-yoga.ts';

const PREFIX = '/api/v1';
const HTML = { accept: 'text/html' };

let bandha: Bandha;
let proxy: Listening;
beforeAll(async () => {
  bandha = await createTestBandha();
  proxy = await listen((req, res) => {
    if (!req.url?.startsWith(`${PREFIX}/`)) {
      res.writeHead(418).end();
      return;
    }
    req.url = req.url.slice(PREFIX.length);
    bandha.listener(req, res);
  });
});
afterAll(async () => {
  proxy.close();
  await bandha.close();
});

it.each(['/', '/graphql/', '/graphql/?query={viewer{id}}'])(
  'redirects %s within the prefix of the proxy',
  async (path) => {
    const address = `${proxy.url}${PREFIX}${path}`;
    const response = await fetch(address, { headers: HTML, redirect: 'manual' });
    expect(response.status).toBe(302);
    const target = new URL(response.headers.get('location') ?? '', address);
    expect(target.pathname).toBe(`${PREFIX}/graphql`);
    expect(target.search).toBe(new URL(address).search);
  },
);

it('serves the page and its files within the prefix of the proxy', async () => {
  const page = await fetch(`${proxy.url}${PREFIX}/`, { headers: HTML });
  expect([page.status, new URL(page.url).pathname]).toEqual([200, `${PREFIX}/graphql`]);
  const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(1);
  for (const file of [...files, 'graphiql/requirements.json']) {
    const response = await fetch(new URL(file, page.url));
    expect([file, response.status]).toEqual([file, 200]);
    await response.body?.cancel();
  }
});

it('responds to operations within the prefix of the proxy', async () => {
  const response = await fetch(`${proxy.url}${PREFIX}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ viewer { id } }' }),
  });
  expect(await response.json()).toEqual({ data: { viewer: null } });
});
