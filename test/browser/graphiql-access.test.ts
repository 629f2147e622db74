// Accessibility of GraphiQL: keyboard only, screen readers, light and dark, phone and tablet.
import { mkdir } from 'node:fs/promises';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { GOOD_PASSWORD } from '../support/test-server.ts';
import { openGraphiql, waitForFocus } from './open-graphiql.ts';

const PHONE = { width: 390, height: 844 };
const TABLET = { width: 768, height: 1024 };
const OWN_PARTS = ['.bandha-panel', '.bandha-header', '.bandha-denial'];

/** Lists serious and critical accessibility issues in Bandha's own parts of the page. */
async function findIssues(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(
    (parts) => (globalThis as unknown as { axe: typeof axe }).axe.run({ include: parts }), // the global that axe defines
    OWN_PARTS,
  );
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

describe.skipIf(!hasChromium)('GraphiQL', () => {
  beforeAll(() => mkdir('test-results', { recursive: true }));

  it.each(['light', 'dark'] as const)(
    'axe finds no serious accessibility issue in %s mode',
    async (colorScheme) => {
      await using graphiql = await openGraphiql({}, { colorScheme });
      const { page, panel } = graphiql;
      await panel.getByRole('button', { name: 'Create account' }).waitFor();
      await graphiql.fillIn('ada@example.com', 'password');
      await panel.getByRole('button', { name: 'Create account' }).click();
      await panel.getByRole('alert').getByText('too weak').waitFor();
      await graphiql.run();
      await graphiql.waitForResponse(/UNAUTHENTICATED/);
      expect(await findIssues(page)).toEqual([]);
      await graphiql.createAccount();
      await panel.getByRole('listitem').waitFor();
      expect(await findIssues(page)).toEqual([]);
      // Checks that an issue would be found.
      await page
        .locator('.bandha-panel')
        .evaluate((panel) => panel.insertAdjacentHTML('beforeend', '<input>'));
      expect(await findIssues(page)).not.toEqual([]);
    },
  );

  it('GraphiQL is usable with the keyboard alone', async () => {
    await using graphiql = await openGraphiql();
    const { page, notice, panel } = graphiql;
    const { keyboard } = page;
    const tabTo = async (selector: string) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await keyboard.press('Tab');
        if (await page.evaluate((target) => document.activeElement?.matches(target), selector)) return;
      }
      throw new Error(`Tab does not lead to ${selector}`);
    };
    await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
    await tabTo('.graphiql-execute-button');
    await keyboard.press('Enter');
    await graphiql.waitForResponse(/MISSING_TOKEN/);
    await tabTo('.bandha-denial button');
    await keyboard.press('Enter');
    await waitForFocus(page.getByLabel('Email'));
    await keyboard.type('ada@example.com');
    await keyboard.press('Tab');
    await keyboard.type(GOOD_PASSWORD);
    await tabTo('.bandha-form button[type=button]');
    await keyboard.press('Space');
    await waitForFocus(notice.getByRole('button', { name: 'Run again' }));
    await keyboard.press('Enter');
    await graphiql.waitForResponse(/granted/);
    await keyboard.press('Shift+Tab');
    await tabTo('.bandha-panel > button');
    await keyboard.press('Enter');
    await panel.getByText('You are signed out.').waitFor();
    await waitForFocus(page.getByLabel('Email'));
  });

  it('a phone shows panel, editor and response in one column', async () => {
    await using graphiql = await openGraphiql({}, { viewport: PHONE });
    const { page, notice } = graphiql;
    await graphiql.run();
    await notice.getByRole('button', { name: 'Sign in' }).click();
    await waitForFocus(page.getByLabel('Email'));
    await page.screenshot({ path: 'test-results/graphiql-phone.png' });
    await graphiql.createAccount();
    await notice.getByRole('button', { name: 'Run again' }).click();
    await graphiql.waitForResponse(/granted/);
    for (const part of ['.bandha-panel', '.graphiql-query-editor', '.graphiql-response', '.bandha-header']) {
      const box = await page.locator(part).boundingBox();
      expect(box?.width, part).toBeGreaterThan(part === '.bandha-header' ? 80 : 300);
      expect((box?.x ?? 0) + (box?.width ?? 0), part).toBeLessThanOrEqual(PHONE.width);
    }
    // The editor stays within its frame at any scroll position.
    const boxOf = async (part: string) => await page.locator(`.graphiql-query-editor${part}`).boundingBox();
    const [frame, editor] = [await boxOf(''), await boxOf(' .monaco-editor')];
    expect(editor?.y).toBeGreaterThanOrEqual(frame?.y ?? Number.NaN);
    expect((editor?.y ?? 0) + (editor?.height ?? 0)).toBeLessThanOrEqual(
      (frame?.y ?? 0) + (frame?.height ?? 0),
    );
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(graphiql.errors()).toEqual([]);
  });

  it('a tablet has room for panel, query and search field', async () => {
    await using graphiql = await openGraphiql({}, { viewport: TABLET });
    const { page } = graphiql;
    const boxOf = async (part: string) => (await page.locator(part).boundingBox()) ?? expect.fail(part);
    await graphiql.createAccount();
    await graphiql.run();
    await graphiql.waitForResponse(/granted/);
    expect((await boxOf('.graphiql-plugin')).width).toBeGreaterThanOrEqual(250);
    const [query, response] = [await boxOf('.graphiql-query-editor'), await boxOf('.graphiql-response')];
    expect(query.width).toBeGreaterThan(380);
    expect(response.y).toBeGreaterThanOrEqual(query.y + query.height);
    const account = await boxOf('.bandha-who');
    expect(account.x + account.width).toBeLessThanOrEqual(TABLET.width);

    await page.getByRole('button', { name: /Documentation Explorer/ }).click();
    const docs = page.locator('.graphiql-doc-explorer');
    await docs.getByRole('link', { name: 'AuthPayload' }).click();
    await docs.getByRole('heading', { name: 'AuthPayload' }).waitFor();
    const search = await boxOf('.graphiql-doc-explorer-search-input');
    const title = await boxOf('.graphiql-doc-explorer-title');
    expect(title.y).toBeGreaterThanOrEqual(search.y + search.height);
    const isCutOff = await page
      .getByRole('combobox')
      .evaluate((input) => input instanceof HTMLInputElement && input.scrollWidth > input.clientWidth);
    expect(isCutOff).toBe(false);
  });
});
