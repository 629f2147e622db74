// The client in tabs of a real browser.
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BandhaOptions } from '../../src/bandha.ts';
import { ADA, countRefreshes, expire } from '../integration/client/tab.ts';
import { hasChromium, startChromium, type TestBrowser } from '../support/chromium.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import type { Sender } from './page/main.ts';

const EXPIRIES = 20;
const GRANTED = 'Secure data access granted';
const STORAGES = ['memory', 'localStorage'] as const;
const SENDERS: Sender[] = ['core', 'apollo', 'urql'];

describe.skipIf(!hasChromium)('the client in a browser', () => {
  let script: string;
  let server: TestServer;
  let browser: TestBrowser;
  beforeAll(async () => {
    script = await bundlePage();
  });
  beforeEach(() => start());
  afterEach(stop);

  async function start(options: BandhaOptions = {}): Promise<void> {
    server = await startTestServer(options);
    browser = await startChromium(server.url);
    // From the server’s origin, because the browser reaches no other.
    await browser.context.route(`${server.url}/page`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/page.js"></script>' }),
    );
    await browser.context.route(`${server.url}/page.js`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: script }),
    );
  }
  async function stop(): Promise<void> {
    await browser?.close();
    await server?.close();
  }
  async function open(storage: 'memory' | 'localStorage', page?: Page): Promise<Page> {
    const opened = page ?? (await browser.context.newPage());
    await opened.goto(`${server.url}/page`);
    await opened.evaluate((kind) => openBandhaTab(kind), storage);
    return opened;
  }
  const openTwo = async (storage: 'memory' | 'localStorage') => {
    const first = await open(storage);
    await first.evaluate((ada) => bandhaTab.client.register(ada), ADA);
    return [first, await open(storage)] as const;
  };
  const emailIn = (page: Page) => page.evaluate(() => bandhaTab.client.user?.email);
  const tokenIn = (page: Page) => page.evaluate(() => bandhaTab.client.accessToken());
  const signedOutIn = (page: Page) => page.evaluate(() => bandhaTab.signedOut);

  describe.each(STORAGES)('with the session in %s', (storage) => {
    it('a new tab is signed in at once', async () => {
      const [first, second] = await openTwo(storage);
      expect(await emailIn(second)).toBe(ADA.email);
      expect(await tokenIn(second)).toBe(await tokenIn(first));
      expect(await countRefreshes(server)).toEqual({});
    });

    it(`two tabs need one rotation for each of ${EXPIRIES} expiries and lose no query`, async () => {
      const pages = await openTwo(storage);
      for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
        expire(server);
        const messages = await Promise.all(
          pages.map((page) => page.evaluate(() => bandhaTab.run('core', 3))),
        );
        expect(messages.flat()).toEqual(Array(6).fill(GRANTED));
        expect(await countRefreshes(server)).toEqual({ ok: expiry });
      }
      expect(await Promise.all(pages.map(signedOutIn))).toEqual([[], []]);
    });

    it('logout signs out the other tab', async () => {
      const [first, second] = await openTwo(storage);
      const received = second.evaluate(() => bandhaTab.nextUser());
      await first.evaluate(() => bandhaTab.client.logout());
      expect(await received).toBeNull();
      expect(await Promise.all([first, second].map(signedOutIn))).toEqual([['LOGOUT'], ['LOGOUT']]);
      expect(await emailIn(await open(storage))).toBeUndefined();
    });

    it('a rejected refresh signs out each tab once', async () => {
      const pages = await openTwo(storage);
      const token = (await tokenIn(pages[0])) ?? '';
      await server.send('mutation { logout }', { token });
      await Promise.all(
        pages.map((page) => page.evaluate((rejected) => bandhaTab.client.renew(rejected), token)),
      );
      expect(await Promise.all(pages.map(signedOutIn))).toEqual([['REVOKED'], ['REVOKED']]);
    });

    it('the session continues in the other tab when the first one is closed', async () => {
      const [first, second] = await openTwo(storage);
      await first.close();
      expire(server);
      expect(await second.evaluate(() => bandhaTab.run('core', 1))).toEqual([GRANTED]);
      expect(await countRefreshes(server)).toEqual({ ok: 1 });
    });
  });

  describe.each(SENDERS)('with %s', (sender) => {
    it('a hundred queries at expiry share one refresh and all succeed', async () => {
      const page = await open('memory');
      await page.evaluate((ada) => bandhaTab.client.register(ada), ADA);
      expire(server);
      expect(await page.evaluate((name) => bandhaTab.run(name, 100), sender)).toEqual(
        Array(100).fill(GRANTED),
      );
      expect(await countRefreshes(server)).toEqual({ ok: 1 });
    });
  });

  it('a session survives a reload in localStorage, but not in memory', async () => {
    const stored = await open('localStorage');
    await stored.evaluate((ada) => bandhaTab.client.register(ada), ADA);
    const token = await tokenIn(stored);
    await open('localStorage', stored);
    expect(await emailIn(stored)).toBe(ADA.email);
    expect(await tokenIn(stored)).toBe(token);
    await stored.close();
    const inMemory = await open('memory');
    expect(await emailIn(inMemory)).toBeUndefined();
  });

  it('logout reaches the server even if the page is left at once', async () => {
    const page = await open('memory');
    await page.evaluate((ada) => bandhaTab.client.register(ada), ADA);
    const token = (await tokenIn(page)) ?? '';
    await page.evaluate(() => {
      void bandhaTab.client.logout();
      location.href = 'about:blank';
    });
    const reason = async () =>
      (await server.send('{ secureData { message } }', { token })).body.errors?.[0].extensions.reason;
    await expect.poll(reason, { timeout: 10_000 }).toBe('TOKEN_REVOKED');
  });

  it('two tabs need one rotation for each expiry by the browser’s clock', async () => {
    await stop();
    await start({ accessTtlSeconds: 1, now: () => new Date() });
    const pages = await openTwo('memory');
    const tokens = await Promise.all(
      pages.map((page) => page.evaluate((changes) => bandhaTab.collectTokens(changes), EXPIRIES)),
    );
    const { ok } = await countRefreshes(server);
    expect(new Set(tokens.flat()).size).toBe((ok ?? 0) + 1);
    expect(await Promise.all(pages.map(signedOutIn))).toEqual([[], []]);
  });
});

async function bundlePage(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('./page/main.ts', import.meta.url)),
        formats: ['iife'],
        name: 'page',
      },
    },
  });
  const [{ output }] = result as [Rollup.RollupOutput]; // one output, because there is one format and no watch mode
  return output[0].code;
}
