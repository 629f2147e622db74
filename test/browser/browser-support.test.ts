// The client in the oldest supported browsers: features that its files use, and a run without newer features.
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

/** Optional features: the client detects them and works without. */
const OPTIONAL = ['.locks', 'BroadcastChannel'];
/** Members of the client's own objects and of JSON with the same names as members of newer interfaces. */
const OWN_MEMBERS = ['.errors', '.load', '.reason', '.storage'];

/** Used by Playwright's code in the page. */
const NEEDED_BY_PLAYWRIGHT = ['BigInt64Array', 'BigUint64Array'];

/** Bundles an entry into one file without changing its syntax; peer dependencies stay external. */
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
  const [{ output }] = result as [Rollup.RollupOutput]; // one output, because there is one format and no watch mode
  return output[0].code;
}

describe('browser entries', () => {
  it.each(ENTRIES)('%s uses only features of the oldest supported browsers', async (entry) => {
    const found = findTooNew(await bundle(entry)).filter(
      (name) => ![...OPTIONAL, ...OWN_MEMBERS].includes(name),
    );
    expect(found).toEqual([]);
  });

  it('the compiler keeps the syntax that is checked here', async () => {
    const { compilerOptions } = JSON.parse(await readFile('tsconfig.json', 'utf8'));
    expect(compilerOptions.target).toBe('es2025'); // newer than the syntax used
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
  ])('the check finds the newer feature in %s', (code, name) => {
    expect(findTooNew(code)).toContain(name);
  });

  it('the guide names the oldest supported browsers', async () => {
    const page = await readFile('docs/guide/clients.md', 'utf8');
    const { chrome, edge, firefox, safari } = OLDEST;
    expect(page.includes(`Chrome ${chrome}, Edge ${edge}, Firefox ${firefox} and Safari ${safari}`)).toBe(
      true,
    );
  });
});

describe.skipIf(!hasChromium)('a browser without newer features', () => {
  let script: string;
  beforeAll(async () => {
    script = `${await bundle('index.ts', 'iife')}; globalThis.createAuthClient = bandhaClient.createAuthClient`;
  });

  it('the client registers, refreshes, survives a reload and signs out', async () => {
    const server = await startTestServer();
    const browser = await startChromium(server.url);
    try {
      const { context, page } = browser;
      await context.route(`${server.url}/page`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/page.js"></script>' }),
      );
      const { globals, owned } = findMissing();
      for (const name of NEEDED_BY_PLAYWRIGHT) globals.delete(name);
      const removal = `(${removeFeatures})(${JSON.stringify([...globals])}, ${JSON.stringify([...owned])});`;
      await context.route(`${server.url}/page.js`, (route) =>
        route.fulfill({ contentType: 'text/javascript', body: `${removal}${script}` }),
      );
      await page.goto(`${server.url}/page`);
      const remaining = await page.evaluate(() => [
        'withResolvers' in Promise,
        'union' in Set.prototype,
        'timeout' in AbortSignal,
        'randomUUID' in crypto,
        'locks' in navigator,
        'BroadcastChannel' in globalThis,
      ]);
      expect(remaining).toEqual(Array(6).fill(false));
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
  const scope = globalThis as unknown as Record<string, { prototype?: object } | undefined>; // by name
  for (const name of owned) {
    const [owner = '', member = ''] = name.split('.');
    for (const target of [scope[owner], scope[owner]?.prototype]) {
      if (target) Reflect.deleteProperty(target, member);
    }
  }
  for (const name of globals) Reflect.deleteProperty(globalThis, name);
}
