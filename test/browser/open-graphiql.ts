// Opens GraphiQL of a new server in a browser that reaches nothing else, and operates it.
import type { Locator, Page } from 'playwright-core';
import type { BandhaOptions } from '../../src/bandha.ts';
import { startChromium, type TestBrowser } from '../support/chromium.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../support/test-server.ts';

export interface OpenGraphiql extends AsyncDisposable {
  server: TestServer;
  browser: TestBrowser;
  page: Page;
  /** The account panel. */
  panel: Locator;
  /** The notice above the response. */
  notice: Locator;
  /** All access and refresh tokens that the server has sent to a page. */
  tokens: Set<string>;
  /** The first root field of each operation that the pages have sent. */
  sentFields: string[];
  /** Errors in the pages, except for status 401 and 403, which Chromium reports as errors. */
  errors(): string[];
  /** Replaces the text of an editor. */
  write(pane: string, text: string): Promise<void>;
  run(): Promise<void>;
  /** Waits until the response pane matches; the editor shows spaces as non-breaking ones, which `\s` matches. */
  waitForResponse(text: RegExp): Promise<void>;
  fillIn(email: string, password?: string): Promise<void>;
  /** Creates an account in the panel, and waits until the page shows its email. */
  createAccount(email?: string): Promise<string>;
}

/** Clicks the run button, after the editor has loaded: before, it has no effect. */
export async function runIn(page: Page): Promise<void> {
  await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
  await page.locator('.graphiql-execute-button').click();
}

/** Waits until the element has the focus, which moves after rendering. */
export async function waitForFocus(locator: Locator): Promise<void> {
  await locator.and(locator.page().locator(':focus')).waitFor();
}

export interface Look {
  colorScheme?: 'light' | 'dark';
  viewport?: { width: number; height: number };
}

export async function openGraphiql(
  options: BandhaOptions = {},
  { path = '/graphql', colorScheme = 'light', viewport }: Look & { path?: string } = {},
): Promise<OpenGraphiql> {
  const server = await startTestServer(options);
  const browser = await startChromium(server.url);
  const { page, context } = browser;
  const tokens = new Set<string>();
  const sentFields: string[] = [];
  context.on('request', (request) => {
    const field = /[{]\s*(\w+)/.exec(request.postDataJSON()?.query ?? '')?.[1];
    if (field !== undefined) sentFields.push(field);
  });
  context.on('response', async (response) => {
    const text = await response.text().catch(() => '');
    for (const [, token] of text.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) tokens.add(token ?? '');
  });
  await page.emulateMedia({ colorScheme });
  if (viewport) await page.setViewportSize(viewport);
  await page.goto(`${server.url}${path}`);
  const panel = page.getByRole('region', { name: /^Sign/ }).filter({ has: page.locator('h2') });
  const notice = page.locator('.bandha-denial');

  const fillIn = async (email: string, password = GOOD_PASSWORD) => {
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
  };
  return {
    server,
    browser,
    page,
    panel,
    notice,
    tokens,
    sentFields,
    errors: () => browser.errors.filter((error) => !/status of 40[13]/.test(error)),
    async write(pane, text) {
      const { keyboard } = page;
      await page.locator(`${pane} .monaco-editor:visible`).first().click();
      await keyboard.press('ControlOrMeta+A');
      await keyboard.press('Delete');
      await keyboard.type(text);
      // Deletes the brackets that the editor has added after the last character.
      await keyboard.press('ControlOrMeta+Shift+End');
      await keyboard.press('Delete');
    },
    run: () => runIn(page),
    waitForResponse: (text) => page.locator('.graphiql-response', { hasText: text }).waitFor(),
    fillIn,
    async createAccount(email = `${crypto.randomUUID()}@example.com`) {
      await fillIn(email);
      await panel.getByRole('button', { name: 'Create account' }).click();
      await page.getByRole('button', { name: `${email}: open the account panel` }).waitFor();
      return email;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}
