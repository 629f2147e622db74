// What fields need, in GraphiQL: as badges in the documentation, and in the words of a refusal.
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

/** The badges of each field of `Query`, as the documentation shows them. */
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

/** Errors and warnings in the editors. */
const countMarkers = (page: Page) =>
  page.evaluate(() => {
    const { editor } = (
      globalThis as unknown as { __MONACO: { editor: { getModelMarkers(filter: object): unknown[] } } }
    ).__MONACO; // where GraphiQL puts its editor
    return editor.getModelMarkers({}).length;
  });

describe.skipIf(!hasChromium)('GraphiQL', () => {
  it('shows an anonymous caller in production only what is for everyone', async () => {
    await using graphiql = await openGraphiql({ ...APP, ...PRODUCTION });
    expect(await badgesOfQuery(graphiql)).toEqual({ viewer: [] });
  });

  it.each([{}, { defaultAccess: 'deny' } as const])(
    'shows every field in development, %o',
    async (options) => {
      await using graphiql = await openGraphiql({ ...APP, ...options });
      const { page } = graphiql;
      const badges = await badgesOfQuery(graphiql);
      expect(badges).toMatchObject({
        secureData: ['signed in'],
        payroll: ['role accountant or admin'],
        audit: ['scope read and audit, or all'],
        invoice: ['policy owner'],
      });
      await page
        .locator('.graphiql-doc-explorer-item', { hasText: /^payroll/ })
        .getByText('Needs')
        .waitFor();
      // The editor knows all fields, so nothing of the starter query is underlined.
      await page.locator('.graphiql-query-editor', { hasText: 'secureData' }).waitFor();
      await expect.poll(() => countMarkers(page)).toBe(0);
      await graphiql.write('.graphiql-query-editor', '{ noSuchField }');
      await expect.poll(() => countMarkers(page)).toBeGreaterThan(0); // so that one would be seen
      expect(graphiql.problems()).toEqual([]);
    },
  );

  it('shows on a badge what a field needs, to whoever may see the field', async () => {
    await using graphiql = await openGraphiql({ ...APP, ...PRODUCTION, admin: ADMIN });
    const { page, panel } = graphiql;
    await graphiql.fillIn(ADMIN.email, ADMIN.password);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByText('admin', { exact: true }).waitFor();
    await page.locator('.graphiql-doc-explorer-content').waitFor({ state: 'detached' });
    await expect.poll(() => graphiql.asked.filter((field) => field === '__schema').length).toBe(2);
    expect(await badgesOfQuery(graphiql)).toEqual({
      viewer: [],
      secureData: ['signed in'],
      sessions: ['signed in'],
      payroll: ['role accountant or admin'],
      recent: ['within 5 min'],
      invoice: ['policy owner'],
    });
    await page.getByRole('link', { name: 'payroll', exact: true }).click();
    await page.locator('.bandha-needs').getByText('role accountant or admin').waitFor();
    expect(graphiql.problems()).toEqual([]);
  });

  it('says which role or scope is missing, and offers no sign-in that would not help', async () => {
    await using graphiql = await openGraphiql(APP);
    const { notice } = graphiql;
    await graphiql.createAccount();
    await graphiql.write('.graphiql-query-editor', '{ payroll }');
    await graphiql.run();
    await notice.getByText('payroll needs the role accountant or admin. You have no roles.').waitFor();
    expect(await notice.getByRole('button').count()).toBe(0);
    await graphiql.write('.graphiql-query-editor', '{ audit }');
    await graphiql.run();
    await notice.getByText('audit needs the scope read audit.').waitFor();
    expect(await notice.getByRole('button').count()).toBe(0);
    expect(graphiql.problems()).toEqual([]);
  });

  it('asks to sign in again where that was too long ago, and runs the query then', async () => {
    await using graphiql = await openGraphiql(APP);
    const { server, page, panel, notice } = graphiql;
    const email = await graphiql.createAccount();
    server.clock.now = new Date(server.clock.now.getTime() + 6 * 60_000);
    await graphiql.write('.graphiql-query-editor', '{ recent }');
    await graphiql.run();
    await notice.getByText('recent needs a more recent sign-in.').waitFor();
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(page.getByLabel('Password'));
    expect(await page.getByLabel('Email').inputValue()).toBe(email);
    await page.getByLabel('Password').fill('correct horse battery staple');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(notice.getByRole('button', { name: 'Run again' }));
    await page.keyboard.press('Enter');
    await graphiql.answer(/just\snow/);
  });

  it('shows the events of a subscription, until it is stopped', async () => {
    let begun = 0;
    const Subscription = {
      ticks: {
        async *subscribe() {
          begun += 1;
          yield { ticks: 1 };
          yield { ticks: 2 };
          await new Promise(() => {}); // for as long as somebody listens
        },
      },
    };
    const typeDefs = 'type Subscription { ticks: Int! @auth }';
    await using graphiql = await openGraphiql({ typeDefs, resolvers: { Subscription } });
    const { server, page, notice } = graphiql;
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await graphiql.run();
    await notice.getByText('ticks is for signed-in callers.').waitFor();
    await graphiql.createAccount();
    await notice.getByRole('button', { name: 'Run again' }).click();
    await graphiql.answer(/"ticks":\s*2/);
    expect(graphiql.problems()).toEqual([]);
    const aborted = page.waitForEvent('requestfailed');
    await page.locator('.graphiql-execute-button').click();
    await aborted;
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    await graphiql.run();
    await expect.poll(() => begun, { timeout: 30_000 }).toBe(2);
    await graphiql.answer(/"ticks":\s*2/);
    expect(graphiql.asked.filter((field) => field === 'ticks')).toHaveLength(4); // two of them were refused
    expect(await notice.textContent()).toBe('');
    expect(graphiql.asked.filter((field) => field === 'refresh')).toHaveLength(1);
  });

  it('goes on with a subscription after the end of one token and of the next', async () => {
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
    await graphiql.answer(/"ticks":\s*([3-9]|\d\d)/);
    expect(await graphiql.notice.textContent()).toBe('');
    expect(graphiql.problems()).toEqual([]);
  });
});
