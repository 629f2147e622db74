// An example as it is built for users, served on an origin of its own, and what one does there.
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
  /** Of the page, without a trailing slash. */
  origin: string;
  close(): Promise<void>;
}

/** Builds the example, with `askOften` added to its page, and serves it. */
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
  if (url === undefined) throw new Error('The example is not served');
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
  /** How often the pages have asked for each of the server's operations, by its first field. */
  asked(field: string): number;
  /** What is wrong in the pages' consoles, beside refusals: Chromium reports each 401 there. */
  problems(): string[];
  /** Another tab of the same browser. */
  openTab(): Promise<Page>;
  fillIn(email: string, password?: string): Promise<void>;
  /** Makes an account in the page; settled when it shows who is signed in, and what only they get. */
  createAccount(email?: string): Promise<string>;
  /** How often the refresh token of the newest session has been rotated. */
  rotations(): number;
}

/** Opens the example in a browser of its own, with a server of its own. */
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
  // The page and the server are two origins here. What is intercepted has no real preflight; names stay unresolved.
  await context.unrouteAll();
  await context.addInitScript((url) => {
    globalThis.bandhaUrl = url;
  }, `${server.url}/graphql`);
  const asked: string[] = [];
  context.on('request', (request) => {
    const field = /{\s*(\w+)/.exec(request.postDataJSON()?.query ?? '')?.[1];
    if (field !== undefined) asked.push(field);
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
    asked: (wanted) => asked.filter((field) => field === wanted).length,
    problems: () => browser.problems.filter((problem) => !/status of 401/.test(problem)),
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
    rotations() {
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
