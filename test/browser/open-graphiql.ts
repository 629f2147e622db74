// GraphiQL of a server of its own, in a browser that reaches nothing else, and what one does there.
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
  /** Every token that the server has sent to a page. */
  tokens: Set<string>;
  /** What the pages asked for by name: the operations' root fields. */
  asked: string[];
  /** What is wrong in the pages' consoles, beside refusals: Chromium reports each 401 and 403 there. */
  problems(): string[];
  write(pane: string, text: string): Promise<void>;
  run(): Promise<void>;
  /** Settled when the response has this; the editor's spaces are of the kind that does not break. */
  answer(text: RegExp): Promise<void>;
  fillIn(email: string, password?: string): Promise<void>;
  /** Makes an account in the panel; settled when it shows who is signed in. */
  createAccount(email?: string): Promise<string>;
}

/** Presses the run button; before the editor is there it would do nothing. */
export async function runIn(page: Page): Promise<void> {
  await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
  await page.locator('.graphiql-execute-button').click();
}

/** Settled once it has the focus, which comes after the page has rendered. */
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
  const asked: string[] = [];
  context.on('request', (request) => {
    const field = /[{]\s*(\w+)/.exec(request.postDataJSON()?.query ?? '')?.[1];
    if (field !== undefined) asked.push(field);
  });
  context.on('response', async (response) => {
    const text = await response.text().catch(() => '');
    for (const [, token] of text.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) tokens.add(token ?? '');
  });
  await page.emulateMedia({ colorScheme });
  if (viewport) await page.setViewportSize(viewport);
  await page.goto(`${server.url}${path}`);
  const panel = page.getByRole('region', { name: /^Sign/ }).filter({ has: page.locator('h2') });
  const notice = page.locator('.bandha-refusal');

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
    asked,
    problems: () => browser.problems.filter((problem) => !/status of 40[13]/.test(problem)),
    async write(pane, text) {
      const { keyboard } = page;
      await page.locator(`${pane} .monaco-editor:visible`).first().click();
      await keyboard.press('ControlOrMeta+A');
      await keyboard.press('Delete');
      await keyboard.type(text);
      // The editor closes brackets by itself; what it put behind the last letter goes.
      await keyboard.press('ControlOrMeta+Shift+End');
      await keyboard.press('Delete');
    },
    run: () => runIn(page),
    answer: (text) => page.locator('.graphiql-response', { hasText: text }).waitFor(),
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
