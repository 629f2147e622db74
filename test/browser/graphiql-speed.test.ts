// Size of GraphiQL's page, and time of its first paint on a slow connection.
import { describe, expect, it } from 'vitest';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { startTestServer } from '../support/test-server.ts';

/** A phone on a slow network: 1.6 Mbit/s, 150 ms. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };
const MAX_BLOCKING_BYTES = 40_000;

describe.skipIf(!hasChromium)('GraphiQL over a slow connection', () => {
  it('GraphiQL paints before its scripts and fonts have loaded on a slow connection', async () => {
    const server = await startTestServer();
    const browser = await startChromium(server.url);
    try {
      const { page, context } = browser;
      const devtools = await context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', SLOW);
      await page.goto(`${server.url}/graphql`, { waitUntil: 'commit' });
      await page.getByText('Loading GraphiQL').waitFor();
      await page.getByLabel('Password').waitFor();
      const formMs = await page.evaluate(() => performance.now());
      await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
      const editorMs = await page.evaluate(() => performance.now());
      await page.waitForLoadState('networkidle');
      const { paints, files } = await page.evaluate(() => ({
        paints: performance.getEntriesByType('paint').map(({ startTime }) => startTime),
        files: performance.getEntriesByType('resource').map((entry) => {
          const { name, encodedBodySize, renderBlockingStatus } = entry as PerformanceResourceTiming & {
            renderBlockingStatus: string;
          }; // the type of these entries; only Chromium reports renderBlockingStatus
          return { name: name.split('/').at(-1) ?? '', bytes: encodedBodySize, renderBlockingStatus };
        }),
      }));
      const sum = (subset: typeof files) => subset.reduce((bytes, file) => bytes + file.bytes, 0);
      const blocking = sum(files.filter(({ renderBlockingStatus }) => renderBlockingStatus === 'blocking'));
      const round = (ms: number | undefined) => `${((ms ?? Number.NaN) / 1000).toFixed(2)} s`;
      console.log(
        `first paint ${round(paints[0])}, sign-in form ${round(formMs)}, editor ${round(editorMs)}; ` +
          `render-blocking ${blocking} bytes, total ${sum(files)} bytes in ${files.length} files`,
      );
      expect(blocking).toBeLessThan(MAX_BLOCKING_BYTES);
      expect(paints[0]).toBeLessThan(formMs);
      const fonts = files.filter(({ name }) => /\.(woff2?|ttf)$/.test(name));
      expect(fonts.length).toBeGreaterThan(0);
      expect(sum(fonts)).toBeLessThan(200_000); // only the fonts that are used
      const sheets = files.filter(({ name }) => name.endsWith('.css'));
      for (const { name } of sheets) {
        const text = await (await fetch(`${server.url}/graphiql/${name}`)).text();
        expect(text, name).not.toMatch(/data:(font|application\/(x-)?font)/);
      }
      expect(browser.errors).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
