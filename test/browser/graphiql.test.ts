// GraphiQL as a new user sees it, in a browser that reaches only the server.
import { mkdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { openGraphiql, waitForFocus } from './open-graphiql.ts';

const SCREENSHOTS = 'test-results';

describe.skipIf(!hasChromium)('GraphiQL', () => {
  beforeAll(() => mkdir(SCREENSHOTS, { recursive: true }));

  it('GraphiQL leads a new user to secureData: run, create an account, run again', async () => {
    await using graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await graphiql.run();
    await graphiql.waitForResponse(/UNAUTHENTICATED[\s\S]*MISSING_TOKEN/);
    await notice.getByText('secureData requires a signed-in user.').waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}/graphiql-denied.png` });
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(page.getByLabel('Email'));
    const email = await graphiql.createAccount('ada@example.com');
    const again = notice.getByRole('button', { name: 'Run again' });
    await waitForFocus(again);
    await page.keyboard.press('Enter');
    await graphiql.waitForResponse(/granted/);
    await graphiql.waitForResponse(new RegExp(email));
    expect(await notice.textContent()).toBe('');
    expect(graphiql.browser.blockedRequests).toEqual([]);
    expect(graphiql.errors()).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('GraphiQL renders without errors in %s mode', async (colorScheme) => {
    await using graphiql = await openGraphiql({}, { colorScheme, viewport: { width: 1280, height: 680 } });
    const { page, server } = graphiql;
    await graphiql.createAccount('ada@example.com');
    await server.send(LOG_IN, { headers: { 'user-agent': 'curl/8.9.1' } });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('curl/8.9.1').waitFor();
    await graphiql.run();
    await graphiql.waitForResponse(/granted/);
    await page.mouse.move(600, 500);
    await page.screenshot({ path: `${SCREENSHOTS}/graphiql-${colorScheme}.png` });
    expect(graphiql.errors()).toEqual([]);
  });

  it('the sign-in form signs in, and explains each rejected attempt', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel, server } = graphiql;
    expect(await page.getByRole('button', { name: 'Sign in' }).count()).toBe(1);
    const alert = panel.getByRole('alert');
    const press = (name: string) => panel.getByRole('button', { name }).click();
    await press('Sign in');
    await alert.getByText('Enter an email address.').waitFor();
    await graphiql.fillIn('ada@example.com', 'wrong password');
    await press('Sign in');
    await alert.getByText('Wrong email or password.').waitFor();
    await graphiql.fillIn('ada@example.com', 'password');
    await press('Create account');
    await alert.getByText('This password is too weak').waitFor();
    await graphiql.fillIn('no address');
    await press('Create account');
    await alert.getByText('This is not a valid email address.').waitFor();
    await server.send(REGISTER);
    await graphiql.fillIn('ada@example.com');
    await press('Create account');
    await alert.getByText('An account with this email already exists.').waitFor();
    await press('Sign in');
    await panel.getByRole('heading', { name: 'Signed in' }).waitFor();
    await panel.getByText('ada@example.com', { exact: true }).waitFor();
    await waitForFocus(panel.getByRole('heading', { name: 'Signed in' }));
    expect(graphiql.errors()).toEqual([]);
  });

  it('the sign-in form shows the wait of a rate limit and an unreachable server', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    const alert = panel.getByRole('alert');
    const RATE_LIMITED = { message: 'Too many attempts.', extensions: { code: 'RATE_LIMITED' } };
    await page.route('**/graphql', (route) =>
      route.fulfill({ status: 429, headers: { 'retry-after': '90' }, json: { errors: [RATE_LIMITED] } }),
    );
    await graphiql.fillIn('ada@example.com');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('Too many attempts. Try again in 90 seconds.').waitFor();
    await page.unroute('**/graphql');
    await page.route('**/graphql', (route) => route.abort('connectionrefused'));
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await alert.getByText('The server cannot be reached.').waitFor();
  });

  it('the panel offers no account creation if sign-up is closed', async () => {
    await using graphiql = await openGraphiql({ signup: 'closed' });
    const { page, panel } = graphiql;
    await panel.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('mutation', { exact: true }).waitFor(); // the schema is loaded
    await page.getByRole('button', { name: 'Show Account' }).click();
    await panel.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await panel.getByRole('button', { name: 'Create account' }).count()).toBe(0);
  });

  it('GraphiQL moves a query from the address to the editor and does not run it', async () => {
    const query = 'query FromTheAddress { viewer { email } }';
    await using graphiql = await openGraphiql({}, { path: `/graphql?query=${encodeURIComponent(query)}` });
    const { page, sentFields } = graphiql;
    await page.locator('.graphiql-query-editor', { hasText: 'FromTheAddress' }).waitFor();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('mutation', { exact: true }).waitFor(); // the page has sent all of its own operations
    expect(new URL(page.url()).search).toBe('');
    expect(sentFields).not.toContain('viewer');
    expect(sentFields).toContain('__schema');
    await graphiql.run();
    await graphiql.waitForResponse(/"viewer":\s*null/);
    expect(sentFields).toContain('viewer');
    expect(graphiql.errors()).toEqual([]);
  });
});

const ACCOUNT = '(email: "ada@example.com", password: "correct horse battery staple") { tokenType }';
const REGISTER = `mutation { register${ACCOUNT} }`;
const LOG_IN = `mutation { login${ACCOUNT} }`;
