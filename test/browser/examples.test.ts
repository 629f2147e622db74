// The example apps in a browser: what their users do, what expires and ends meanwhile, and how they look.
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

/** The server answers TOKEN_EXPIRED to all access tokens there are. */
function expire({ clock }: TestServer): void {
  clock.now = new Date(clock.now.getTime() + 601_000);
}

/** Presses the button; settled when the server has answered with the data, whatever it has answered before. */
async function askAgain(page: Page): Promise<void> {
  const granted = page.waitForResponse(
    async (response) =>
      response.request().method() === 'POST' && (await response.text().catch(() => '')).includes(GRANTED),
  );
  await page.getByRole('button', { name: 'Ask again' }).click();
  await granted;
  await page.getByText(GRANTED).waitFor();
}

/** Gives the role; settled when the server has heard of it, and so answers TOKEN_EXPIRED to the token from before. */
async function giveRole(
  { bandha: { store }, clock }: TestServer,
  email: string,
  role: string,
): Promise<void> {
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
  const now = () => clock.now;
  await store.subscribe(({ kind }) => kind === 'ROLES_CHANGED' && hear(), now);
  await changeRoles({ store, now }, email, { add: [role] });
  await heard;
}

async function logInElsewhere({ server }: OpenExample, email: string): Promise<string> {
  const { body } = await server.send(
    'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { accessToken } }',
    { variables: { email, password: GOOD_PASSWORD }, headers: { 'user-agent': 'curl/8.9.1' } },
  );
  return body.data.login.accessToken;
}

async function findFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(
    () => (globalThis as unknown as { axe: typeof axe }).axe.run(), // where axe puts itself
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

/** Looks at the page in every size, light and dark; `picture` begins the names of the screenshots. */
async function expectStyled(page: Page, picture: string): Promise<void> {
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
      await page.screenshot({ path: `test-results/${picture}-${colorScheme}-${width}.png`, fullPage: true });
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

  it('signs up, says who it is, runs secure data, signs out and in', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await page.getByText('You are not signed in.').waitFor();
    const email = await example.createAccount();
    await page.getByRole('definition').getByText(email).waitFor();
    await askAgain(page);
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

  it('is styled as it is built, on every width, light and dark', async () => {
    await using example = await openExample(served);
    await expectStyled(example.page, `${name}-built`);
    expect(example.errors()).toEqual([]);
  });

  it('says at the form what is wrong, and keeps what was entered', async () => {
    await using example = await openExample(served);
    const { page } = example;
    const alert = page.getByRole('form').getByRole('alert');
    await example.fillIn('ada@example.com', 'password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await alert.getByText('This password is too weak').waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('The email or the password is wrong').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe('ada@example.com');
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('The server cannot be reached').waitFor();
  });

  it('shows nobody what the user before has read', async () => {
    await using example = await openExample(served);
    const { page } = example;
    const first = await example.createAccount();
    await page.getByRole('button', { name: 'Sign out' }).click();
    const second = await example.createAccount();
    await page.getByRole('definition').getByText(second).waitFor();
    expect(await page.getByText(first).count()).toBe(0);
    expect(example.countSent('viewer')).toBe(2);
  });

  it('renews what the server answers TOKEN_EXPIRED', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await example.createAccount();
    expire(server);
    const refused = page.waitForResponse((response) => response.status() === 401);
    await askAgain(page);
    expect((await (await refused).json()).errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    expect(example.countRotations()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it('gets its data, and keeps what it shows, where the roles have changed', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    await giveRole(server, email, 'analyst');
    const refused = page.waitForResponse((response) => response.status() === 401);
    await askAgain(page);
    expect((await (await refused).json()).errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
    expect(example.countRotations()).toBe(1);
    expect(await page.getByRole('definition').getByText(email).count()).toBe(1);
    expect(await page.getByRole('listitem').count()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it('goes on over tokens that live for three seconds', async () => {
    await using example = await openExample(served, { accessTtlSeconds: 3, now: () => new Date() });
    const { page } = example;
    const email = await example.createAccount();
    while (example.countRotations() < 2) await askAgain(page);
    expect(await page.getByText(`You are signed in as ${email}.`).count()).toBe(1);
    expect(example.countSent('refresh')).toBe(example.countRotations());
    expect(example.errors()).toEqual([]);
  });

  it('costs one refresh and no query where a hundred meet the expiry', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    await example.createAccount();
    expire(server);
    expect(await page.evaluate(() => sendMany(100))).toEqual(Array(100).fill(GRANTED));
    expect(example.countSent('refresh')).toBe(1);
    expect(example.countRotations()).toBe(1);
    expect(example.errors()).toEqual([]);
  });

  it(`costs one rotation an expiry in two tabs, ${EXPIRIES} times over`, async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const tabs = [page, await example.openTab()];
    await tabs[1]?.getByText(`You are signed in as ${email}.`).waitFor();
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      expire(server);
      await Promise.all(tabs.map(askAgain));
      expect(example.countRotations()).toBe(expiry);
      expect(example.countSent('refresh')).toBe(expiry);
    }
    for (const tab of tabs) {
      expect(await tab.getByText(`You are signed in as ${email}.`).count()).toBe(1);
      expect(await tab.getByRole('alert').count()).toBe(0);
    }
    expect(example.errors()).toEqual([]);
  });

  it('lists sessions, marks its own, and ends others', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const token = await logInElsewhere(example, email);
    const other = await example.openTab();
    const sessions = page.getByRole('listitem');
    expect(await sessions.count()).toBe(1);
    await page.getByRole('button', { name: 'List again' }).click();
    await sessions.filter({ hasText: 'curl/8.9.1' }).waitFor();
    expect(await sessions.count()).toBe(2);
    expect(await sessions.filter({ hasText: 'this one' }).textContent()).toContain('Chrome');
    await sessions.filter({ hasText: 'curl/8.9.1' }).getByRole('button', { name: 'End' }).click();
    await sessions.filter({ hasText: 'curl/8.9.1' }).waitFor({ state: 'detached' });
    await waitForFocus(page.getByRole('heading', { name: 'Sessions' }));
    const { body } = await server.send('{ secureData { message } }', { token });
    expect(body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    await sessions.getByRole('button', { name: 'End' }).click();
    for (const tab of [page, other]) await tab.getByText('You are signed out.').waitFor();
    expect(example.errors()).toEqual([]);
  });

  it('shows that its session was ended elsewhere, in all tabs', async () => {
    await using example = await openExample(served);
    const { server, page } = example;
    const email = await example.createAccount();
    const other = await example.openTab();
    await other.getByText(GRANTED).waitFor();
    await server.send('mutation { logoutEverywhere }', { token: await logInElsewhere(example, email) });
    await page.getByRole('button', { name: 'Ask again' }).click();
    for (const tab of [page, other]) {
      await tab.getByRole('status').getByText('Your session was ended elsewhere. Sign in again.').waitFor();
      await tab.getByRole('button', { name: 'Sign in' }).waitFor();
    }
    expect(example.countSent('refresh')).toBe(0);
    expect(example.errors()).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has no serious fault that axe finds, %s', async (colorScheme) => {
    await using example = await openExample(served, {}, { colorScheme });
    const { page } = example;
    const picture = (what: string) =>
      page.screenshot({ path: `test-results/${name}-${what}-${colorScheme}.png` });
    await example.fillIn('ada@example.com', 'password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('alert').getByText('too weak').waitFor();
    expect(await findFaults(page)).toEqual([]);
    await picture('form');
    const email = await example.createAccount();
    await logInElsewhere(example, email);
    const other = await example.openTab();
    await other.getByRole('listitem').nth(1).waitFor();
    expect(await findFaults(other)).toEqual([]);
    await other.screenshot({ path: `test-results/${name}-account-${colorScheme}.png` });
    // So that a fault would be seen.
    await other.locator('main').evaluate((main) => main.insertAdjacentHTML('beforeend', '<input>'));
    expect(await findFaults(other)).not.toEqual([]);
  });

  it('fits a phone, and is used by keyboard alone', async () => {
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

  it('starts with one command, and is styled there too', async () => {
    const server = await startTestServer();
    onTestFinished(() => server.close());
    const origin = await startCommand(`example:${name}`, `${server.url}/graphql`);
    const browser = await startChromium(origin);
    onTestFinished(() => browser.close());
    await browser.context.unrouteAll(); // the server is another origin than the page
    const { page } = browser;
    await page.goto(origin);
    await page.getByLabel('Email').waitFor();
    await expectStyled(page, `${name}-served`);
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(GRANTED).waitFor();
    expect(browser.errors).toEqual([]);
    await writeFile('test-results/secret', 'not for pages'); // in the checkout, as .bandha/secret is
    const statusOf = async (file: string) => (await fetch(`${origin}/@fs${resolve(file)}?raw`)).status;
    expect(await statusOf('src/client/index.ts')).toBe(200); // what is served is found this way
    for (const file of ['package.json', 'src/bandha.ts', 'test-results/secret']) {
      expect(await statusOf(file), file).toBe(403);
    }
  });
});

/** Runs the script as a user does, on a port of the system's choice, until the test is over; gives its origin. */
async function startCommand(script: string, url: string): Promise<string> {
  const child = spawn('npm', ['run', script, '--', '--host', '127.0.0.1', '--port', '0'], {
    env: { ...process.env, VITE_BANDHA_URL: url, NO_COLOR: '1', FORCE_COLOR: '0', NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // npm passes no signal on, so the whole group gets it
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  let said = '';
  const hear = (chunk: Buffer) => {
    said += chunk;
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    if (origin) resolve(origin);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('error', reject);
  child.once('close', () => {
    reject(new Error(`The command ended and said: ${said}`));
    ended.resolve();
  });
  onTestFinished(() => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, 'SIGTERM');
    return ended.promise;
  });
  return promise;
}
