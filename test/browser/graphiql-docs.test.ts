// Requirements of fields in GraphiQL: badges in the documentation, and texts of denials.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { BandhaOptions } from '../../src/bandha.ts';
import { hasChromium } from '../support/chromium.ts';
import { type OpenGraphiql, openGraphiql, waitForFocus } from './open-graphiql.ts';

const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };
const APP: BandhaOptions = {
  typeDefs: /* GraphQL */ `
    extend type Query {
      payroll: String! @auth(roles: ["accountant", "admin"])
      recent: String! @auth(maxAge: 300)
      audit: String! @auth(scopes: [["read", "audit"], ["all"]])
      invoice(id: ID!): Invoice @auth(policies: [["owner"]])
    }
    type Invoice { total: Int! @auth(roles: ["admin"]) }
  `,
  resolvers: {
    Query: {
      payroll: () => 'paid',
      recent: () => 'just now',
      audit: () => 'fine',
      invoice: () => ({ total: 1 }),
    },
  },
  policies: { owner: () => true },
};

/** Labels of the badges of each field of `Query` in the documentation. */
async function badgesOfQuery({ page }: OpenGraphiql): Promise<Record<string, string[]>> {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  const rows = page.locator('.graphiql-doc-explorer-item');
  await rows.first().waitFor();
  return Object.fromEntries(
    await rows.evaluateAll((all) =>
      all.map((row) => [
        row.querySelector('.graphiql-doc-explorer-field-name')?.textContent ?? '',
        [...row.querySelectorAll('.bandha-badge')].map((badge) => badge.textContent ?? ''),
      ]),
    ),
  );
}

const PRODUCTION: BandhaOptions = { production: true, graphiql: true };

/** Number of errors and warnings in the editors. */
const countMarkers = (page: Page) =>
  page.evaluate(() => {
    const { editor } = (
      globalThis as unknown as { __MONACO: { editor: { getModelMarkers(filter: object): unknown[] } } }
    ).__MONACO; // the global that GraphiQL defines
    return editor.getModelMarkers({}).length;
  });

describe.skipIf(!hasChromium)('GraphiQL', () => {
  it('the documentation shows an anonymous caller in production only public fields', async () => {
    await using graphiql = await openGraphiql({ ...APP, ...PRODUCTION });
    expect(await badgesOfQuery(graphiql)).toEqual({ viewer: [] });
  });

  it.each([{}, { defaultAccess: 'deny' } as const])(
    'the documentation shows every field in development, %o',
    async (options) => {
      await using graphiql = await openGraphiql({ ...APP, ...options });
      const { page } = graphiql;
      const badges = await badgesOfQuery(graphiql);
      expect(badges).toMatchObject({
        sessions: ['signed in'],
        payroll: ['role accountant or admin'],
        audit: ['scope read and audit, or all'],
        invoice: ['policy owner'],
      });
      await page
        .locator('.graphiql-doc-explorer-item', { hasText: /^payroll/ })
        .getByText('Needs')
        .waitFor();
      // The editor has the whole schema, so it marks nothing in the starter query.
      await page.locator('.graphiql-query-editor', { hasText: 'viewer is null' }).waitFor();
      await expect.poll(() => countMarkers(page)).toBe(0);
      await graphiql.write('.graphiql-query-editor', '{ noSuchField }');
      await expect.poll(() => countMarkers(page)).toBeGreaterThan(0); // checks that a mistake would be marked
      expect(graphiql.errors()).toEqual([]);
    },
  );

  it('badges show requirements to callers who may see the field', async () => {
    await using graphiql = await openGraphiql({ ...APP, ...PRODUCTION, admin: ADMIN });
    const { page, panel } = graphiql;
    await graphiql.fillIn(ADMIN.email, ADMIN.password);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByText('admin', { exact: true }).waitFor();
    await page.locator('.graphiql-doc-explorer-content').waitFor({ state: 'detached' });
    await expect.poll(() => graphiql.sentFields.filter((field) => field === '__schema').length).toBe(2);
    expect(await badgesOfQuery(graphiql)).toEqual({
      viewer: [],
      sessions: ['signed in'],
      payroll: ['role accountant or admin'],
      recent: ['within 5 min'],
      invoice: ['policy owner'],
    });
    await page.getByRole('link', { name: 'payroll', exact: true }).click();
    await page.locator('.bandha-requirement').getByText('role accountant or admin').waitFor();
    expect(graphiql.errors()).toEqual([]);
  });

  it('the notice names a missing role or scope and offers no sign-in', async () => {
    await using graphiql = await openGraphiql(APP);
    const { notice } = graphiql;
    await graphiql.createAccount();
    await graphiql.write('.graphiql-query-editor', '{ payroll }');
    await graphiql.run();
    await notice.getByText('payroll requires the role accountant or admin. You have no roles.').waitFor();
    expect(await notice.getByRole('button').count()).toBe(0);
    await graphiql.write('.graphiql-query-editor', '{ audit }');
    await graphiql.run();
    await notice.getByText('audit requires the scopes read and audit.').waitFor();
    expect(await notice.getByRole('button').count()).toBe(0);
    expect(graphiql.errors()).toEqual([]);
  });

  it('reauthentication for maxAge leads back to the query', async () => {
    await using graphiql = await openGraphiql(APP);
    const { server, page, panel, notice } = graphiql;
    const email = await graphiql.createAccount();
    server.clock.now = new Date(server.clock.now.getTime() + 6 * 60_000);
    await graphiql.write('.graphiql-query-editor', '{ recent }');
    await graphiql.run();
    await notice.getByText('recent requires a more recent sign-in.').waitFor();
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(page.getByLabel('Password'));
    expect(await page.getByLabel('Email').inputValue()).toBe(email);
    await page.getByLabel('Password').fill('correct horse battery staple');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(notice.getByRole('button', { name: 'Run again' }));
    await page.keyboard.press('Enter');
    await graphiql.waitForResponse(/just\snow/);
  });

  it('a subscription shows its events until it is stopped', async () => {
    let begun = 0;
    const Subscription = {
      ticks: {
        async *subscribe() {
          begun += 1;
          yield { ticks: 1 };
          yield { ticks: 2 };
          await new Promise(() => {}); // until the client disconnects
        },
      },
    };
    const typeDefs = 'type Subscription { ticks: Int! @auth }';
    await using graphiql = await openGraphiql({ typeDefs, resolvers: { Subscription } });
    const { server, page, notice } = graphiql;
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await graphiql.run();
    await notice.getByText('ticks requires a signed-in user.').waitFor();
    await graphiql.createAccount();
    await notice.getByRole('button', { name: 'Run again' }).click();
    await graphiql.waitForResponse(/"ticks":\s*2/);
    expect(graphiql.errors()).toEqual([]);
    const aborted = page.waitForEvent('requestfailed');
    await page.locator('.graphiql-execute-button').click();
    await aborted;
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    await graphiql.run();
    await expect.poll(() => begun, { timeout: 30_000 }).toBe(2);
    await graphiql.waitForResponse(/"ticks":\s*2/);
    expect(graphiql.sentFields.filter((field) => field === 'ticks')).toHaveLength(4); // two of them were rejected
    expect(await notice.textContent()).toBe('');
    expect(graphiql.sentFields.filter((field) => field === 'refresh')).toHaveLength(1);
  });

  it('a subscription continues across several token expiries', async () => {
    let begun = 0;
    const Subscription = {
      ticks: {
        async *subscribe() {
          begun += 1;
          yield { ticks: begun };
          await new Promise(() => {});
        },
      },
    };
    const typeDefs = 'type Subscription { ticks: Int! @auth }';
    await using graphiql = await openGraphiql({
      typeDefs,
      resolvers: { Subscription },
      accessTtlSeconds: 3,
      now: () => new Date(),
    });
    await graphiql.createAccount();
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await graphiql.run();
    await expect.poll(() => begun, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    await graphiql.waitForResponse(/"ticks":\s*([3-9]|\d\d)/);
    expect(await graphiql.notice.textContent()).toBe('');
    expect(graphiql.errors()).toEqual([]);
  });
});
