// GraphiQL as somebody meets it who has read nothing: in a browser, with no network but the server.
import { mkdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { openGraphiql, waitForFocus } from './open-graphiql.ts';

const SCREENSHOTS = 'test-results';

describe.skipIf(!hasChromium)('GraphiQL', () => {
  beforeAll(() => mkdir(SCREENSHOTS, { recursive: true }));

  it('leads from the first sight to secureData: run, create an account, run again', async () => {
    await using graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await graphiql.run();
    await graphiql.answer(/UNAUTHENTICATED[\s\S]*MISSING_TOKEN/);
    await notice.getByText('secureData is for signed-in callers.').waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}/graphiql-refused.png` });
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(page.getByLabel('Email'));
    const email = await graphiql.createAccount('ada@example.com');
    const again = notice.getByRole('button', { name: 'Run again' });
    await waitForFocus(again);
    await page.keyboard.press('Enter');
    await graphiql.answer(/granted/);
    await graphiql.answer(new RegExp(email));
    expect(await notice.textContent()).toBe('');
    expect(graphiql.browser.foreignRequests).toEqual([]);
    expect(graphiql.problems()).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('can be looked at, %s', async (colorScheme) => {
    await using graphiql = await openGraphiql({}, { colorScheme, viewport: { width: 1280, height: 680 } });
    const { page, server } = graphiql;
    await graphiql.createAccount('ada@example.com');
    await server.send(LOG_IN, { headers: { 'user-agent': 'curl/8.9.1' } });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('curl/8.9.1').waitFor();
    await graphiql.run();
    await graphiql.answer(/granted/);
    await page.mouse.move(600, 500);
    await page.screenshot({ path: `${SCREENSHOTS}/graphiql-${colorScheme}.png` });
    expect(graphiql.problems()).toEqual([]);
  });

  it('signs in, and says what was wrong where it could not', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel, server } = graphiql;
    expect(await page.getByRole('button', { name: 'Sign in' }).count()).toBe(1);
    const problem = panel.getByRole('alert');
    const press = (name: string) => panel.getByRole('button', { name }).click();
    await press('Sign in');
    await problem.getByText('Enter an email address.').waitFor();
    await graphiql.fillIn('ada@example.com', 'wrong password');
    await press('Sign in');
    await problem.getByText('The email or the password is wrong.').waitFor();
    await graphiql.fillIn('ada@example.com', 'password');
    await press('Create account');
    await problem.getByText('This password is too weak').waitFor();
    await graphiql.fillIn('no address');
    await press('Create account');
    await problem.getByText('This is not an email address.').waitFor();
    await server.send(REGISTER);
    await graphiql.fillIn('ada@example.com');
    await press('Create account');
    await problem.getByText('There is an account with this email already.').waitFor();
    await press('Sign in');
    await panel.getByRole('heading', { name: 'Signed in' }).waitFor();
    await panel.getByText('ada@example.com', { exact: true }).waitFor();
    await waitForFocus(panel.getByRole('heading', { name: 'Signed in' }));
    expect(graphiql.problems()).toEqual([]);
  });

  it('says for how long to wait, and that the server cannot be reached', async () => {
    await using graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    const problem = panel.getByRole('alert');
    const RATE_LIMITED = { message: 'Too many tries.', extensions: { code: 'RATE_LIMITED' } };
    await page.route('**/graphql', (route) =>
      route.fulfill({ status: 429, headers: { 'retry-after': '90' }, json: { errors: [RATE_LIMITED] } }),
    );
    await graphiql.fillIn('ada@example.com');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await problem.getByText('Too many tries. Try again in 90 seconds.').waitFor();
    await page.unroute('**/graphql');
    await page.route('**/graphql', (route) => route.abort('connectionrefused'));
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await problem.getByText('The server cannot be reached.').waitFor();
  });

  it('offers no account where sign-up is closed', async () => {
    await using graphiql = await openGraphiql({ signup: 'closed' });
    const { page, panel } = graphiql;
    await panel.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('mutation', { exact: true }).waitFor(); // the schema is there
    await page.getByRole('button', { name: 'Show Account' }).click();
    await panel.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await panel.getByRole('button', { name: 'Create account' }).count()).toBe(0);
  });

  it('shows a query from the address, takes it out of there, and does not run it', async () => {
    const query = 'query FromTheAddress { viewer { email } }';
    await using graphiql = await openGraphiql({}, { path: `/graphql?query=${encodeURIComponent(query)}` });
    const { page, asked } = graphiql;
    await page.locator('.graphiql-query-editor', { hasText: 'FromTheAddress' }).waitFor();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('mutation', { exact: true }).waitFor(); // everything that the page asks by itself has been asked
    expect(new URL(page.url()).search).toBe('');
    expect(asked).not.toContain('viewer');
    expect(asked).toContain('__schema');
    await graphiql.run();
    await graphiql.answer(/"viewer":\s*null/);
    expect(asked).toContain('viewer');
    expect(graphiql.problems()).toEqual([]);
  });
});

const ACCOUNT = '(email: "ada@example.com", password: "correct horse battery staple") { tokenType }';
const REGISTER = `mutation { register${ACCOUNT} }`;
const LOG_IN = `mutation { login${ACCOUNT} }`;
