// Builds an example, serves it on its own origin, and operates it in a browser.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { build, preview } from 'vite';
import type { BandhaOptions } from '../../src/bandha.ts';
import { startChromium, type TestBrowser } from '../support/chromium.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../support/test-server.ts';

export const EXAMPLES = ['apollo-react', 'urql-react'] as const;
export type ExampleName = (typeof EXAMPLES)[number];

export interface ServedExample {
  /** Origin of the page, without a trailing slash. */
  origin: string;
  close(): Promise<void>;
}

/** Builds the example, adds `sendMany` to its page, and serves it. */
export async function serveExample(name: ExampleName): Promise<ServedExample> {
  const outDir = await mkdtemp(join(tmpdir(), `bandha-${name}-`));
  await build({
    configFile: resolve('examples', name, 'vite.config.ts'),
    logLevel: 'error',
    define: { 'import.meta.env.VITE_BANDHA_URL': 'bandhaUrl' },
    build: { outDir, emptyOutDir: true },
    plugins: [
      {
        name: 'test-entry',
        transformIndexHtml: {
          order: 'pre',
          handler: () => [
            {
              tag: 'script',
              attrs: { type: 'module', src: `../../test/browser/example-entries/${name}.ts` },
            },
          ],
        },
      },
    ],
  });
  const server = await preview({
    configFile: false,
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error('Vite has not started the preview server');
  return {
    origin: new URL(url).origin,
    async close() {
      await server.close();
      await rm(outDir, { recursive: true });
    },
  };
}

export interface OpenExample extends AsyncDisposable {
  server: TestServer;
  browser: TestBrowser;
  page: Page;
  /** Number of operations with this first field that the pages have sent. */
  countSent(field: string): number;
  /** Errors in the pages, except for status 401, which Chromium reports as an error. */
  errors(): string[];
  /** Opens another tab of the same browser. */
  openTab(): Promise<Page>;
  fillIn(email: string, password?: string): Promise<void>;
  /** Creates an account in the page, and waits until it shows the user, the secure data and the sessions. */
  createAccount(email?: string): Promise<string>;
  /** Number of refresh token rotations of the newest session. */
  countRotations(): number;
}

/** Opens the example in a new browser, with a new server. */
export async function openExample(
  { origin }: ServedExample,
  options: BandhaOptions = {},
  look: Pick<BrowserContextOptions, 'colorScheme' | 'viewport'> = {},
): Promise<OpenExample> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-example-'));
  const file = join(folder, 'bandha.db');
  const server = await startTestServer({ databaseUrl: `sqlite:${file}`, ...options });
  const browser = await startChromium(origin);
  const { page, context } = browser;
  // Page and server have different origins. Intercepted requests have no real preflight, so interception is removed; DNS
  // stays disabled.
  await context.unrouteAll();
  await context.addInitScript((url) => {
    globalThis.bandhaUrl = url;
  }, `${server.url}/graphql`);
  const sentFields: string[] = [];
  context.on('request', (request) => {
    const field = /{\s*(\w+)/.exec(request.postDataJSON()?.query ?? '')?.[1];
    if (field !== undefined) sentFields.push(field);
  });
  async function show(tab: Page): Promise<Page> {
    await tab.emulateMedia({ colorScheme: look.colorScheme ?? 'light' });
    if (look.viewport) await tab.setViewportSize(look.viewport);
    await tab.goto(origin);
    await tab.getByRole('heading', { level: 1 }).waitFor();
    return tab;
  }
  await show(page);

  const fillIn = async (email: string, password = GOOD_PASSWORD) => {
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
  };
  return {
    server,
    browser,
    page,
    countSent: (name) => sentFields.filter((field) => field === name).length,
    errors: () => browser.errors.filter((error) => !/status of 401/.test(error)),
    openTab: async () => show(await context.newPage()),
    fillIn,
    async createAccount(email = `${crypto.randomUUID()}@example.com`) {
      await fillIn(email);
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByText(`You are signed in as ${email}.`).waitFor();
      await page.getByText('Secure data access granted').waitFor();
      await page.getByRole('listitem').first().waitFor();
      return email;
    },
    countRotations() {
      const database = new DatabaseSync(file, { readOnly: true });
      try {
        const sql = 'select generation - 1 as rotations from sessions order by created_at desc limit 1';
        return Number(database.prepare(sql).get()?.rotations);
      } finally {
        database.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
