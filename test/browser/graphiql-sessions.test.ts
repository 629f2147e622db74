// Sessions in GraphiQL: refresh, sign-out here and elsewhere, tabs, and secrets in the browser.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { GOOD_PASSWORD } from '../support/test-server.ts';
import { type OpenGraphiql, openGraphiql, runIn, waitForFocus } from './open-graphiql.ts';

const ACCOUNT = ($email: string) => `(email: "${$email}", password: "${GOOD_PASSWORD}")`;
const ELSEWHERE = { 'user-agent': 'curl/8.9.1' };

/** Starts a session of the same account on another device. */
async function logInElsewhere({ server }: OpenGraphiql, email: string): Promise<string> {
  const { body } = await server.send(`mutation { login${ACCOUNT(email)} { accessToken } }`, {
    headers: ELSEWHERE,
  });
  return body.data.login.accessToken;
}

/** Runs the query, and waits for data and until the page is ready for the next run. */
async function runUntilGranted(tab: Page): Promise<void> {
  const granted = tab.waitForResponse(
    (response) => response.ok() && /secureData/.test(response.request().postData() ?? ''),
  );
  await runIn(tab);
  await granted;
  await tab.getByRole('button', { name: /^Execute query/ }).waitFor();
}

describe.skipIf(!hasChromium)('GraphiQL sessions', () => {
  it('an expired access token is renewed with one refresh', async () => {
    await using graphiql = await openGraphiql();
    await graphiql.createAccount();
    const { server, tokens, sentFields } = graphiql;
    const before = new Set(tokens);
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    await graphiql.run();
    await graphiql.waitForResponse(/granted/);
    expect(sentFields.filter((field) => field === 'refresh')).toHaveLength(1);
    expect(tokens.size).toBeGreaterThan(before.size);
    expect(graphiql.errors()).toEqual([]);
  });

  it('the session is refreshed before its access token expires', async () => {
    // The client refreshes when a third of three seconds is left, so every second or third run refreshes. If the machine
    // stalls for longer, the server rejects the token, and the page renews it and sends the query again.
    await using graphiql = await openGraphiql({ accessTtlSeconds: 3, now: () => new Date() });
    const { page, sentFields, notice } = graphiql;
    const email = await graphiql.createAccount();
    const rejected: Promise<string>[] = [];
    page.on('response', (response) => {
      if (response.status() === 401) rejected.push(response.text());
    });
    const refreshes = () => sentFields.filter((field) => field === 'refresh').length;
    while (refreshes() - rejected.length < 2) {
      const granted = page.waitForResponse(
        (response) => response.ok() && /secureData/.test(response.request().postData() ?? ''),
      );
      await graphiql.run();
      await granted;
      await graphiql.waitForResponse(/granted/);
      expect(await notice.textContent()).toBe('');
    }
    for (const text of await Promise.all(rejected)) expect(text).toContain('TOKEN_EXPIRED');
    expect(await page.getByRole('button', { name: `${email}: open the account panel` }).count()).toBe(1);
    expect(graphiql.errors()).toEqual([]);
  });

  it('the page offers to sign in after the session was revoked elsewhere', async () => {
    await using graphiql = await openGraphiql();
    const { server, page, panel, notice } = graphiql;
    const email = await graphiql.createAccount();
    const token = await logInElsewhere(graphiql, email);
    const { body } = await server.send('{ sessions { id current } }', { token });
    const { id } = body.data.sessions.find(({ current }: { current: boolean }) => !current);
    await server.send('mutation ($id: ID!) { revokeSession(id: $id) }', { token, variables: { id } });
    await graphiql.run();
    await graphiql.waitForResponse(/TOKEN_REVOKED/);
    await notice.getByText('The session was revoked.').waitFor();
    await panel.getByRole('status').getByText('Your session was revoked.').waitFor();
    await graphiql.fillIn(email);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(notice.getByRole('button', { name: 'Run again' }));
    await page.keyboard.press('Enter');
    await graphiql.waitForResponse(/granted/);
    expect(graphiql.errors()).toEqual([]);
  });

  it('the user can sign in again if the server rejects the token as invalid', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel, notice } = graphiql;
    await graphiql.createAccount();
    const extensions = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID', coordinate: 'Query.secureData' };
    await page.route('**/graphql', (route) =>
      route.fulfill({ status: 401, json: { errors: [{ message: 'Not valid.', extensions }] } }),
    );
    await graphiql.run();
    await notice.getByText('The access token is not valid for this server.').waitFor();
    await page.unroute('**/graphql');
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(notice.getByRole('button', { name: 'Run again' }));
    await page.keyboard.press('Enter');
    await graphiql.waitForResponse(/granted/);
  });

  it('the panel lists all sessions and revokes each', async () => {
    await using graphiql = await openGraphiql();
    const { server, page, panel } = graphiql;
    const email = await graphiql.createAccount();
    const token = await logInElsewhere(graphiql, email);
    await panel.getByRole('button', { name: 'Refresh' }).click();
    const sessions = panel.getByRole('listitem');
    await sessions.filter({ hasText: 'curl/8.9.1' }).waitFor();
    expect(await sessions.count()).toBe(2);
    expect(await sessions.filter({ hasText: 'this session' }).textContent()).toContain('Chrome on Linux');
    const names = await panel
      .getByRole('button', { name: /^Revoke/ })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
    expect(new Set(names).size).toBe(2);
    await panel.getByRole('button', { name: /^Revoke session \d: curl/ }).click();
    await panel.getByText('Revoked the session of curl/8.9.1.').waitFor();
    await waitForFocus(panel.getByRole('heading', { name: 'Sessions' }));
    expect(await sessions.count()).toBe(1);
    const { body } = await server.send('{ secureData { message } }', { token });
    expect(body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    await panel.getByRole('button', { name: /^Revoke session 1: Chrome/ }).click();
    await panel.getByText('You are signed out.').waitFor();
    await graphiql.run();
    await graphiql.waitForResponse(/MISSING_TOKEN/);
    expect(page.isClosed()).toBe(false);
    expect(graphiql.errors()).toEqual([]);
  });

  it('signing out in production shows the schema of anonymous callers again', async () => {
    await using graphiql = await openGraphiql({ production: true, graphiql: true });
    const { server, page, panel, tokens } = graphiql;
    const types = page.locator('.graphiql-doc-explorer-content');
    await graphiql.createAccount();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await types.getByText('SecureData').waitFor();
    await page.getByRole('button', { name: 'Show Account' }).click();
    await panel.getByRole('button', { name: 'Sign out', exact: true }).click();
    await panel.getByText('You are signed out.').waitFor();
    await waitForFocus(page.getByLabel('Email'));
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await types.getByText('AuthPayload').waitFor();
    await types.getByText('SecureData').waitFor({ state: 'detached' });
    for (const token of [...tokens].filter(
      (value) => value.split('.').length === 3 && value.startsWith('ey'),
    )) {
      const { body } = await server.send('{ secureData { message } }', { token });
      expect(body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    }
    expect(graphiql.errors()).toEqual([]);
  });

  it('a stored session survives reloads and is removed by signing out everywhere', async () => {
    await using graphiql = await openGraphiql();
    const { server, page, panel } = graphiql;
    await page.getByLabel('Stay signed in').check();
    const email = await graphiql.createAccount();
    const token = await logInElsewhere(graphiql, email);
    for (let reload = 1; reload <= 3; reload += 1) {
      await page.reload();
      await page.getByRole('button', { name: `${email}: open the account panel` }).waitFor();
    }
    const { body } = await server.send('{ sessions { id } }', { token });
    expect(body.data.sessions).toHaveLength(2);
    await page.getByRole('button', { name: `${email}: open the account panel` }).click();
    const names = panel.getByRole('button', { name: /^Revoke session \d: .*signed in .*:\d\d:\d\d/ });
    await names.nth(1).waitFor();
    await panel.getByRole('button', { name: 'Sign out everywhere' }).click();
    await panel.getByText('You are signed out.').waitFor();
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    for (const secret of graphiql.tokens) expect(stored.includes(secret)).toBe(false);
    const after = await server.send('{ secureData { message } }', { token });
    expect(after.body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    await page.getByLabel('Stay signed in').uncheck();
    await graphiql.fillIn(email);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByRole('heading', { name: 'Signed in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in: open the account panel' }).or(panel).first().waitFor();
    expect(await page.getByRole('button', { name: new RegExp(`^${email}`) }).count()).toBe(0);
    // A reload aborts requests in flight.
    expect(graphiql.errors().filter((error) => !error.includes('ERR_ABORTED'))).toEqual([]);
  });

  it('tabs share one session', async () => {
    await using graphiql = await openGraphiql();
    const { server, page, panel, browser } = graphiql;
    const email = await graphiql.createAccount();
    const other = await browser.context.newPage();
    await other.goto(`${server.url}/graphql`);
    await other.getByRole('button', { name: `${email}: open the account panel` }).waitFor();
    await runIn(other);
    await other.locator('.graphiql-response', { hasText: /granted/ }).waitFor();
    await other.getByRole('button', { name: 'Sign out', exact: true }).click();
    await panel.getByText('You are signed out.').waitFor();
    await graphiql.run();
    await graphiql.waitForResponse(/MISSING_TOKEN/);
    await page.bringToFront();
    await graphiql.fillIn(email);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('button', { name: `${email}: open the account panel` }).waitFor();
    expect(graphiql.errors()).toEqual([]);
  });

  it('two tabs need one refresh for each of twenty expiries', async () => {
    await using graphiql = await openGraphiql();
    const { server, page, browser, sentFields } = graphiql;
    const email = await graphiql.createAccount();
    const other = await browser.context.newPage();
    await other.goto(`${server.url}/graphql`);
    const signedIn = (tab: Page) => tab.getByRole('button', { name: `${email}: open the account panel` });
    await signedIn(other).waitFor();
    for (let expiry = 1; expiry <= 20; expiry += 1) {
      server.clock.now = new Date(server.clock.now.getTime() + 601_000);
      await Promise.all([page, other].map(runUntilGranted));
      expect(sentFields.filter((field) => field === 'refresh')).toHaveLength(expiry);
    }
    for (const tab of [page, other]) expect(await signedIn(tab).count()).toBe(1);
    expect(graphiql.errors()).toEqual([]);
  });

  it('no token or password is left in storage, address, history or editors', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel, notice, tokens, browser } = graphiql;
    await graphiql.createAccount();
    await graphiql.run();
    await graphiql.waitForResponse(/granted/);
    const typed = `typed-${crypto.randomUUID()}`;
    await page.getByRole('button', { name: 'Headers' }).click();
    await graphiql.write('.graphiql-editor-tool', JSON.stringify({ authorization: `Bearer ${typed}` }));
    await graphiql.write('.graphiql-query-editor', 'query Typed { secureData { message } }');
    // The editor updates the rest of the page after a delay.
    await page.waitForFunction(() => localStorage.getItem('graphiql:tabState')?.includes('Typed'));
    await graphiql.run();
    await notice.getByText('It was sent with the token of the Headers tab.').waitFor();
    // GraphiQL writes to storage when the page is hidden or idle.
    await page.getByRole('button', { name: 'Show History' }).click();
    await page.locator('.graphiql-history').getByText('SecureData').first().waitFor();
    const item = page.locator('.graphiql-history-item', { hasText: 'Typed' });
    await item.getByRole('button', { name: 'Add favorite' }).click();
    await page.getByRole('button', { name: 'Remove favorite' }).waitFor();
    const kept = await page.evaluate(async () => {
      const models = (
        globalThis as unknown as { __MONACO: { editor: { getModels(): { getValue(): string }[] } } }
      ).__MONACO; // the global that GraphiQL defines
      return {
        local: JSON.stringify(localStorage),
        favorites: localStorage.getItem('graphiql:favorites') ?? '',
        session: JSON.stringify(sessionStorage),
        databases: JSON.stringify(await indexedDB.databases()),
        caches: JSON.stringify(await caches.keys()),
        cookie: document.cookie,
        address: location.href + JSON.stringify(history.state),
        editors: models.editor
          .getModels()
          .map((model) => model.getValue())
          .join('\n'),
        page: document.documentElement.outerHTML,
      };
    });
    expect(tokens.size).toBeGreaterThanOrEqual(2);
    expect(kept.local).toContain('secureData'); // checks that storage contains the query at all
    expect(kept.favorites).toContain('Typed');
    expect(kept.editors).toContain(typed); // the only place where it may be
    for (const [place, text] of Object.entries(kept)) {
      if (place !== 'editors' && place !== 'page') expect(text.includes(typed), `it in ${place}`).toBe(false);
    }
    for (const secret of [...tokens, GOOD_PASSWORD]) {
      for (const [place, text] of Object.entries(kept)) {
        expect(text.includes(secret), `a secret in ${place}`).toBe(false);
      }
    }
    expect(await browser.context.cookies()).toEqual([]);
    expect(await panel.count()).toBe(0);
  });
});
