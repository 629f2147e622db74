// The example apps in a browser: use, expiry, sign-out, accessibility and styles.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { changeRoles } from '../../src/accounts/administration.ts';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../support/test-server.ts';
import { EXAMPLES, type OpenExample, openExample, type ServedExample, serveExample } from './open-example.ts';

const EXPIRIES = 20;
const GRANTED = 'Secure data access granted';
const PHONE = { width: 390, height: 844 };

/** Makes the server reject all current access tokens with TOKEN_EXPIRED. */
function expire({ clock }: TestServer): void {
  clock.now = new Date(clock.now.getTime() + 601_000);
}

/** Clicks the button, and waits for a response with the data; responses before it may be rejections. */
async function reloadData(page: Page): Promise<void> {
  const granted = page.waitForResponse(
    async (response) =>
      response.request().method() === 'POST' && (await response.text().catch(() => '')).includes(GRANTED),
  );
  await page.getByRole('button', { name: 'Reload data' }).click();
  await granted;
  await page.getByText(GRANTED).waitFor();
}

/** Adds a role, and waits until the server knows it and rejects older tokens with TOKEN_EXPIRED. */
async function addRole({ bandha: { store }, clock }: TestServer, email: string, role: string): Promise<void> {
  const received = Promise.withResolvers<void>();
  const now = () => clock.now;
  await store.subscribe(({ kind }) => kind === 'ROLES_CHANGED' && received.resolve(), now);
  await changeRoles({ store, now }, email, { add: [role] });
  await received.promise;
}

async function logInElsewhere({ server }: OpenExample, email: string): Promise<string> {
  const { body } = await server.send(
    'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { accessToken } }',
    { variables: { email, password: GOOD_PASSWORD }, headers: { 'user-agent': 'curl/8.9.1' } },
  );
  return body.data.login.accessToken;
}

async function findIssues(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(
    () => (globalThis as unknown as { axe: typeof axe }).axe.run(), // the global that axe defines
  );
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

const WIDTHS = [320, 768, 1280];
const LOOKS = {
  light: { page: 'rgb(243, 244, 248)', card: 'rgb(255, 255, 255)', button: 'rgb(67, 56, 202)' },
  dark: { page: 'rgb(18, 21, 29)', card: 'rgb(27, 32, 44)', button: 'rgb(165, 180, 252)' },
};

/** Checks the page's styles at every width, light and dark. `screenshot` is the prefix of the screenshots' names. */
async function expectStyled(page: Page, screenshot: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const look = await page.evaluate(() => {
        const styleOf = (selector: string) =>
          getComputedStyle(document.querySelector(selector) ?? document.body);
        const { scrollWidth, clientWidth } = document.documentElement;
        return {
          page: styleOf('html').backgroundColor,
          card: styleOf('form').backgroundColor,
          button: styleOf('button.primary').backgroundColor,
          radius: styleOf('form').borderRadius,
          maxWidth: styleOf('main').maxWidth,
          sheets: document.styleSheets.length,
          overflow: scrollWidth - clientWidth,
        };
      });
      const styled = { ...LOOKS[colorScheme], radius: '12px', maxWidth: '640px', sheets: 1, overflow: 0 };
      expect(look, `${colorScheme}, ${width} px`).toEqual(styled);
      await page.screenshot({
        path: `test-results/${screenshot}-${colorScheme}-${width}.png`,
        fullPage: true,
      });
    }
  }
}

const waitForFocus = (locator: Locator) => locator.and(locator.page().locator(':focus')).waitFor();

describe.skipIf(!hasChromium).each(EXAMPLES)('the example %s', (name) => {
  let served: ServedExample;
  beforeAll(async () => {
    await mkdir('test-results', { recursive: true });
    served = await serveExample(name);
  });
  afterAll(() => served.close());

  it('the example signs up, shows account and secure data, signs out and in', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await page.getByText('You are not signed in.').waitFor();
    const email = await example.createAccount();
    await page.getByRole('definition').getByText(email).waitFor();
    await reloadData(page);
    const token = await logInElsewhere(example, email);
    const countSessions = async () =>
      (await server.send('{ sessions { id } }', { token })).body.data.sessions.length;
    expect(await countSessions()).toBe(2);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await expect.poll(countSessions).toBe(1);
    expect(await page.getByText(GRANTED).count()).toBe(0);
    await example.fillIn(email);
    await page.keyboard.press('Enter');
    await page.getByText(`You are signed in as ${email}.`).waitFor();
    await page.getByText(GRANTED).waitFor();
    expect(example.errors()).toEqual([]);
  });

  it('the built page has its styles at every width, light and dark', async () => {
    await using example = await openExample(served);
    await expectStyled(example.page, `${name}-built`);
    expect(example.errors()).toEqual([]);
  });

  it('the form explains each rejected attempt and keeps its input', async () => {
    await using example = await openExample(served);
    const { page } = example;
    const alert = page.getByRole('form').getByRole('alert');
    await example.fillIn('ada@example.com', 'password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await alert.getByText('This password is too weak').waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('Wrong email or password').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe('ada@example.com');
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('The server cannot be reached').waitFor();
  });

  it('the page never shows data of the previous user', async () => {
    await using example = await openExample(served);
    const { page } = example;
    const first = await example.createAccount();
    await page.getByRole('button', { name: 'Sign out' }).click();
    const second = await example.createAccount();
    await page.getByRole('definition').getByText(second).waitFor();
    expect(await page.getByText(first).count()).toBe(0);
    expect(example.countSent('viewer')).toBe(2);
  });

  it('the example renews a token that the server rejects as expired', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await example.createAccount();
    expire(server);
    const rejected = page.waitForResponse((response) => response.status() === 401);
    await reloadData(page);
    expect((await (await rejected).json()).errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    expect(example.countRotations()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it('a change of roles keeps the page and leads to one refresh', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    await addRole(server, email, 'analyst');
    const rejected = page.waitForResponse((response) => response.status() === 401);
    await reloadData(page);
    expect((await (await rejected).json()).errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    await page.getByRole('button', { name: 'Reload data' }).waitFor();
    expect(example.countRotations()).toBe(1);
    expect(await page.getByRole('definition').getByText(email).count()).toBe(1);
    expect(await page.getByRole('listitem').count()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it('the example continues across tokens that live three seconds', async () => {
    await using example = await openExample(served, { accessTtlSeconds: 3, now: () => new Date() });
    const { page } = example;
    const email = await example.createAccount();
    while (example.countRotations() < 2) await reloadData(page);
    expect(await page.getByText(`You are signed in as ${email}.`).count()).toBe(1);
    expect(example.countSent('refresh')).toBe(example.countRotations());
    expect(example.errors()).toEqual([]);
  });

  it('a hundred queries at expiry share one refresh and all succeed', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await example.createAccount();
    expire(server);
    expect(await page.evaluate(() => sendMany(100))).toEqual(Array(100).fill(GRANTED));
    expect(example.countSent('refresh')).toBe(1);
    expect(example.countRotations()).toBe(1);
    expect(example.errors()).toEqual([]);
  });

  it(`two tabs need one rotation for each of ${EXPIRIES} expiries`, async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const tabs = [page, await example.openTab()];
    await tabs[1]?.getByText(`You are signed in as ${email}.`).waitFor();
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      expire(server);
      await Promise.all(tabs.map(reloadData));
      expect(example.countRotations()).toBe(expiry);
      expect(example.countSent('refresh')).toBe(expiry);
    }
    for (const tab of tabs) {
      expect(await tab.getByText(`You are signed in as ${email}.`).count()).toBe(1);
      expect(await tab.getByRole('alert').count()).toBe(0);
    }
    expect(example.errors()).toEqual([]);
  });

  it('the page lists sessions, marks its own, and revokes others', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const token = await logInElsewhere(example, email);
    const other = await example.openTab();
    const sessions = page.getByRole('listitem');
    expect(await sessions.count()).toBe(1);
    await page.getByRole('button', { name: 'Refresh sessions' }).click();
    await sessions.filter({ hasText: 'curl/8.9.1' }).waitFor();
    expect(await sessions.count()).toBe(2);
    expect(await sessions.filter({ hasText: 'this session' }).textContent()).toContain('Chrome');
    await sessions.filter({ hasText: 'curl/8.9.1' }).getByRole('button', { name: 'Revoke' }).click();
    await sessions.filter({ hasText: 'curl/8.9.1' }).waitFor({ state: 'detached' });
    await waitForFocus(page.getByRole('heading', { name: 'Sessions' }));
    const { body } = await server.send('{ secureData { message } }', { token });
    expect(body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    await sessions.getByRole('button', { name: 'Revoke' }).click();
    for (const tab of [page, other]) await tab.getByText('You are signed out.').waitFor();
    expect(example.errors()).toEqual([]);
  });

  it('all tabs show that the session was revoked elsewhere', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const other = await example.openTab();
    await other.getByText(GRANTED).waitFor();
    await server.send('mutation { logoutEverywhere }', { token: await logInElsewhere(example, email) });
    await page.getByRole('button', { name: 'Reload data' }).click();
    for (const tab of [page, other]) {
      await tab.getByRole('status').getByText('Your session was revoked. Sign in again.').waitFor();
      await tab.getByRole('button', { name: 'Sign in' }).waitFor();
    }
    expect(example.countSent('refresh')).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'axe finds no serious accessibility issue in %s mode',
    async (colorScheme) => {
      await using example = await openExample(served, {}, { colorScheme });
      const { page } = example;
      const screenshot = (part: string) =>
        page.screenshot({ path: `test-results/${name}-${part}-${colorScheme}.png` });
      await example.fillIn('ada@example.com', 'password');
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByRole('alert').getByText('too weak').waitFor();
      expect(await findIssues(page)).toEqual([]);
      await screenshot('form');
      const email = await example.createAccount();
      await logInElsewhere(example, email);
      const other = await example.openTab();
      await other.getByRole('listitem').nth(1).waitFor();
      expect(await findIssues(other)).toEqual([]);
      await other.screenshot({ path: `test-results/${name}-account-${colorScheme}.png` });
      // Checks that an issue would be found.
      await other.locator('main').evaluate((main) => main.insertAdjacentHTML('beforeend', '<input>'));
      expect(await findIssues(other)).not.toEqual([]);
    },
  );

  it('the page fits a phone and is usable with the keyboard alone', async () => {
    await using example = await openExample(served, {}, { viewport: PHONE });
    const { page } = example;
    const { keyboard } = page;
    const isTooWide = () =>
      page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(await isTooWide()).toBe(false);
    await keyboard.press('Tab');
    await keyboard.type('ada.lovelace.of.the.analytical.engine@example.com');
    await keyboard.press('Tab');
    await keyboard.type(GOOD_PASSWORD);
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByRole('listitem').waitFor();
    await page.getByText(GRANTED).waitFor();
    expect(await isTooWide()).toBe(false);
    await page.screenshot({ path: `test-results/${name}-phone.png`, fullPage: true });
    const signOut = page.getByRole('button', { name: 'Sign out' });
    await waitForFocus(page.getByRole('heading', { level: 1 }));
    await keyboard.press('Tab');
    await waitForFocus(signOut);
    await keyboard.press('Enter');
    await page.getByText('You are signed out.').waitFor();
    await waitForFocus(page.getByRole('heading', { level: 1 }));
    await keyboard.press('Tab');
    await waitForFocus(page.getByLabel('Email'));
  });

  it('the example starts with one command and has its styles there too', async () => {
    const server = await startTestServer();
    onTestFinished(() => server.close());
    const origin = await startCommand(`example:${name}`, `${server.url}/graphql`);
    const browser = await startChromium(origin);
    onTestFinished(() => browser.close());
    await browser.context.unrouteAll(); // page and server have different origins
    const { page } = browser;
    await page.goto(origin);
    await page.getByLabel('Email').waitFor();
    await expectStyled(page, `${name}-served`);
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(GRANTED).waitFor();
    expect(browser.errors).toEqual([]);
    await writeFile('test-results/secret', 'not for pages'); // in the repository's folder, like .bandha/secret
    const fetchStatus = async (file: string) => (await fetch(`${origin}/@fs${resolve(file)}?raw`)).status;
    expect(await fetchStatus('src/client/index.ts')).toBe(200); // shows that the path is right
    for (const file of ['package.json', 'src/bandha.ts', 'test-results/secret']) {
      expect(await fetchStatus(file), file).toBe(403);
    }
  });
});

/** Runs the npm script on a free port until the test ends. Returns the origin of its page. */
async function startCommand(script: string, url: string): Promise<string> {
  const child = spawn('npm', ['run', script, '--', '--host', '127.0.0.1', '--port', '0'], {
    env: { ...process.env, VITE_BANDHA_URL: url, NO_COLOR: '1', FORCE_COLOR: '0', NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // npm forwards no signals, so the test signals the whole process group
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  let output = '';
  const read = (chunk: Buffer) => {
    output += chunk;
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (origin) resolve(origin);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  child.once('error', reject);
  child.once('close', () => {
    reject(new Error(`The command ended with the output: ${output}`));
    ended.resolve();
  });
  onTestFinished(() => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, 'SIGTERM');
    return ended.promise;
  });
  return promise;
}
