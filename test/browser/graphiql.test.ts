// GraphiQL as somebody meets it: in a browser, with no network but the server.
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, startChromium, type TestBrowser } from '../support/chromium.ts';
import { register, startTestServer, type TestServer } from '../support/test-server.ts';

const SCREENSHOT = 'test-results/graphiql.png';

describe.skipIf(!hasChromium)('GraphiQL in a browser', () => {
  let server: TestServer;
  let browser: TestBrowser;
  beforeEach(async () => {
    server = await startTestServer();
    browser = await startChromium(server.url);
    await browser.page.goto(`${server.url}/graphql`);
  });
  afterEach(async () => {
    await browser?.close();
    await server?.close();
  });

  async function write(pane: string, text: string): Promise<void> {
    const { keyboard } = browser.page;
    await browser.page.locator(`${pane} .monaco-editor:visible`).first().click();
    await keyboard.press('ControlOrMeta+A');
    await keyboard.press('Delete');
    await keyboard.type(text);
    // The editor closes brackets by itself; what it put behind the last letter goes.
    await keyboard.press('ControlOrMeta+Shift+End');
    await keyboard.press('Delete');
  }
  const run = () => browser.page.locator('.graphiql-execute-button').click();
  const waitForAnswer = (text: RegExp) =>
    browser.page.locator('.graphiql-response', { hasText: text }).waitFor();

  it('answers a query with every other host out of reach', async () => {
    await write('.graphiql-query-editor', '{ viewer { email } }');
    await run();
    await waitForAnswer(/"viewer":\s*null/);
    await mkdir('test-results', { recursive: true });
    await browser.page.screenshot({ path: SCREENSHOT });
    expect(browser.foreignRequests).toEqual([]);
    expect(browser.problems).toEqual([]);
  });

  it('offers the query it starts with, and runs it as it stands', async () => {
    await browser.page.locator('.graphiql-query-editor .monaco-editor').first().click();
    await browser.page.keyboard.press('ControlOrMeta+Enter');
    await waitForAnswer(/"viewer":\s*null/);
    expect(browser.problems).toEqual([]);
  });

  it('shows why a field is refused, and its data once the token stands in the headers pane', async () => {
    const { accessToken, user } = await register(server.url);
    await write('.graphiql-query-editor', '{ secureData { user { email } } }');
    await run();
    await waitForAnswer(/UNAUTHENTICATED[\s\S]*MISSING_TOKEN/);
    await browser.page.getByRole('button', { name: 'Headers' }).click();
    await write('.graphiql-editor-tool', `{ "Authorization": "Bearer ${accessToken}" }`);
    await run();
    await waitForAnswer(new RegExp(user.email));
    expect(browser.foreignRequests).toEqual([]);
  });
});
