// The client in the oldest browsers that docs/guide/clients.md names: what its files use, and a run without all that is newer.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Rollup } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADA } from '../integration/client/tab.ts';
import { findMissing, findTooNew, OLDEST } from '../support/browser-floor.ts';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { startTestServer } from '../support/test-server.ts';

const CLIENTS = resolve('src/client');
const ENTRIES = ['index.ts', 'apollo.ts', 'urql.ts', 'documents.generated.ts'];

/** A browser may lack these: the client looks for them, and goes on without. */
const OPTIONAL = ['.locks', 'BroadcastChannel'];
/** Members of the client's own objects, and of JSON, that newer interfaces of browsers have as well. */
const OWN = ['.errors', '.load', '.reason', '.storage'];

/** Playwright's own code in the page uses it. */
const NEEDED_FOR_THE_TEST = ['BigInt64Array', 'BigUint64Array'];

/** An entry in one file with its syntax as it was written; peers stay outside. */
async function bundle(entry: string, format: 'es' | 'iife' = 'es'): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry: join(CLIENTS, entry), formats: [format], name: 'bandhaClient' },
      rolldownOptions: { external: (id) => !/^[./]|^\0/.test(id) },
    },
  });
  const [{ output }] = result as [Rollup.RollupOutput]; // one format, nothing watched
  return output[0].code;
}

describe('the files for browsers', () => {
  it.each(ENTRIES)('use nothing that the oldest browsers lack: %s', async (entry) => {
    const found = findTooNew(await bundle(entry)).filter((name) => ![...OPTIONAL, ...OWN].includes(name));
    expect(found).toEqual([]);
  });

  it('are compiled to the syntax that is checked here', async () => {
    const { compilerOptions } = JSON.parse(await readFile('tsconfig.json', 'utf8'));
    expect(compilerOptions.target).toBe('es2025'); // nothing is lowered
  });

  it.each([
    ['Promise.withResolvers()', 'Promise.withResolvers'],
    ['globalThis.Promise.withResolvers()', 'Promise.withResolvers'],
    ['Promise.try(f)', 'Promise.try'],
    ['Array.fromAsync(x)', 'Array.fromAsync'],
    ['AbortSignal.timeout(1)', 'AbortSignal.timeout'],
    ['Object.hasOwn(a, b)', 'Object.hasOwn'],
    ['Object.groupBy(a, b)', 'Object.groupBy'],
    ['URL.canParse(a)', 'URL.canParse'],
    ['crypto.randomUUID()', '.randomUUID'],
    ['new Set(a).union(b)', '.union'],
    ['a.at(-1)', '.at'],
    ['a.toSorted()', '.toSorted'],
    ['structuredClone(a)', 'structuredClone'],
    ['Iterator.from(a)', 'Iterator.from'],
    ['a ??= b', '??='],
    ['{ using a = b }', 'using'],
    ['await a', 'await outside of a function'],
    ['class A { #b }', 'PrivateIdentifier'],
    ['/(?<=a)b/', '/(?<=a)b/'],
  ])('would be found with %s', (code, name) => {
    expect(findTooNew(code)).toContain(name);
  });

  it('are for the browsers that the guide names', async () => {
    const page = await readFile('docs/guide/clients.md', 'utf8');
    const { chrome, edge, firefox, safari } = OLDEST;
    expect(page.includes(`Chrome ${chrome}, Edge ${edge}, Firefox ${firefox} and Safari ${safari}`)).toBe(
      true,
    );
  });
});

describe.skipIf(!hasChromium)('a browser without anything newer', () => {
  let script: string;
  beforeAll(async () => {
    script = `${await bundle('index.ts', 'iife')}; globalThis.createAuthClient = bandhaClient.createAuthClient`;
  });

  it('registers, refreshes, stays signed in over a reload, and signs out', async () => {
    const server = await startTestServer();
    const browser = await startChromium(server.url);
    try {
      const { context, page } = browser;
      await context.route(`${server.url}/page`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/page.js"></script>' }),
      );
      const { globals, owned } = findMissing();
      for (const name of NEEDED_FOR_THE_TEST) globals.delete(name);
      const removal = `(${removeFeatures})(${JSON.stringify([...globals])}, ${JSON.stringify([...owned])});`;
      await context.route(`${server.url}/page.js`, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: `${removal}${script}` }),
      );
      await page.goto(`${server.url}/page`);
      const left = await page.evaluate(() => [
        'withResolvers' in Promise,
        'union' in Set.prototype,
        'timeout' in AbortSignal,
        'randomUUID' in crypto,
        'locks' in navigator,
        'BroadcastChannel' in globalThis,
      ]);
      expect(left).toEqual(Array(6).fill(false));
      const create = () => {
        globalThis.authClient = createAuthClient({ url: '/graphql', storage: 'localStorage' });
        return globalThis.authClient.ready;
      };
      await page.evaluate(create);
      await page.evaluate((ada) => authClient.register(ada), ADA);
      const first = await page.evaluate(() => authClient.accessToken());
      const second = await page.evaluate((token) => authClient.renew(String(token)), first);
      expect(second).not.toBe(first);
      await page.reload();
      await page.evaluate(create);
      expect(await page.evaluate(() => authClient.user?.email)).toBe(ADA.email);
      expect(await page.evaluate(() => authClient.accessToken())).toBe(second);
      await page.evaluate(() => authClient.logout());
      await page.evaluate((ada) => authClient.login(ada), ADA);
      expect(await page.evaluate(() => authClient.user?.email)).toBe(ADA.email);
      expect(browser.errors).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

declare global {
  var createAuthClient: typeof import('../../src/client/index.ts').createAuthClient;
  var authClient: import('../../src/client/index.ts').AuthClient;
}

/** Runs in the page. */
function removeFeatures(globals: string[], owned: string[]): void {
  const world = globalThis as unknown as Record<string, { prototype?: object } | undefined>; // by name
  for (const name of owned) {
    const [owner = '', member = ''] = name.split('.');
    for (const place of [world[owner], world[owner]?.prototype]) {
      if (place) Reflect.deleteProperty(place, member);
    }
  }
  for (const name of globals) Reflect.deleteProperty(globalThis, name);
}
