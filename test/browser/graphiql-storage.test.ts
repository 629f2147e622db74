// Texts that GraphiQL stores: they contain no possible secrets.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { clearOperation, clearVariables } from '../../src/graphiql/stored-text.ts';
import { hasChromium } from '../support/chromium.ts';
import { openGraphiql, runIn } from './open-graphiql.ts';

describe('clearOperation', () => {
  it.each([
    ['a string', 'mutation { login(email: "a@b.example", password: "s3cret") { tokenType } }'],
    ['a block string', 'mutation { login(password: """s3cret""") { tokenType } }'],
    ['a list', '{ a(b: ["s3cret", "s3cret"]) }'],
    ['an input object', '{ a(b: { c: { password: "s3cret" } }) }'],
    ['a default value', 'query ($p: String = "s3cret") { a(p: $p) }'],
    ['a directive', '{ a @b(c: "s3cret") }'],
    ['a comment', '# s3cret\n{ a }'],
    ['a comment after a field', '{ a # s3cret\n}'],
    ['a password without quotes', '{ a(password: s3cret) }'],
    ['a password that lacks a quote', '{ a(password: "s3cret) }'],
    ['a text that is not GraphQL', 's3cret!'],
    ['a description', '"s3cret" type A { b: Int }'],
  ])('a stored operation has no secret from %s', (_, text) => {
    expect(clearOperation(text)).not.toContain('s3cret');
  });

  it('a stored operation has no long numbers', () => {
    expect(clearOperation('{ a(pin: 493817, amount: 49381.7, first: 100) }')).toBe(
      '{\n  a(pin: 0, amount: 0.0, first: 100)\n}\n',
    );
  });

  it('a stored operation without values and comments keeps its layout', () => {
    const text = 'query A($a: Int) { a(b: $a, c: true, d: NAME) @include(if: $b) { d } }';
    expect(clearOperation(text)).toBe(text);
  });
});

describe('clearVariables', () => {
  it('stored variables keep names, but no strings and long numbers', () => {
    expect(
      JSON.parse(clearVariables('{ "a": "s3cret", "b": [{ "c": "s3cret" }, 493817, 7, true, null] }')),
    ).toEqual({
      a: '',
      b: [{ c: '' }, 0, 7, true, null],
    });
  });

  it.each(['"s3cret', '{ "a": "s3cret', '// s3cret\n{}', 's3cret'])(
    'variables that are not JSON are not stored: %s',
    (text) => {
      expect(clearVariables(text)).toBe('');
    },
  );
});

/** All data that the page has stored, and its address. */
const readStored = (page: Page) =>
  page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]),
  );

describe.skipIf(!hasChromium)('GraphiQL', () => {
  it('GraphiQL stores no secret of operation, variables, headers or history', async () => {
    await using graphiql = await openGraphiql();
    const { page } = graphiql;
    const secret = (place: string) => `hunter2-${place}`;
    await graphiql.write(
      '.graphiql-query-editor',
      `mutation Enter($p: String!) { login(email: "ada@example.com", password: "${secret('text')}") { tokenType } } # ${secret('comment')}`,
    );
    await page.getByRole('button', { name: 'Variables' }).click();
    await graphiql.write('.graphiql-editor-tool', JSON.stringify({ p: secret('variables') }));
    await page.getByRole('button', { name: 'Headers' }).click();
    await graphiql.write('.graphiql-editor-tool', JSON.stringify({ 'x-key': secret('headers') }));
    const isStored = () =>
      page.waitForFunction(() => localStorage.getItem('graphiql:tabState')?.includes('Enter'));
    await isStored();
    await graphiql.run();
    await page.getByRole('button', { name: 'Show History' }).click();
    const item = page.locator('.graphiql-history-item', { hasText: 'Enter' });
    await item.first().getByRole('button', { name: 'Add favorite' }).click();
    await page.getByRole('button', { name: 'Remove favorite' }).waitFor();
    expect(await readStored(page)).toContain('password:');
    expect(await readStored(page)).not.toContain('hunter2');
    await page.reload();
    await page.locator('.graphiql-query-editor', { hasText: 'Enter' }).waitFor();
    await runIn(page);
    await isStored();
    expect(await readStored(page)).not.toContain('hunter2');
    expect(await page.locator('.graphiql-query-editor').innerText()).not.toContain('hunter2');
  });

  it('GraphiQL clears texts that an earlier version has stored', async () => {
    await using graphiql = await openGraphiql();
    const { page } = graphiql;
    await page.evaluate(() => {
      const entry = { query: '{ a(password: "hunter2") }', variables: '{"p":"hunter2"}', headers: 'hunter2' };
      localStorage.setItem('graphiql:query', entry.query);
      localStorage.setItem('graphiql:variables', entry.variables);
      localStorage.setItem('graphiql:headers', entry.headers);
      localStorage.setItem('graphiql:queries', JSON.stringify({ queries: [entry] }));
      localStorage.setItem('graphiql:favorites', JSON.stringify({ favorites: [entry] }));
      localStorage.setItem('graphiql:somethingNew', 'hunter2');
      const tab = {
        ...entry,
        id: '1',
        title: 'hunter2',
        operationName: 'hunter2',
        response: 'hunter2',
        hash: 'hunter2',
      };
      localStorage.setItem('graphiql:tabState', JSON.stringify({ activeTabIndex: 0, tabs: [tab] }));
    });
    await page.reload();
    await page.locator('.graphiql-query-editor', { hasText: 'password' }).waitFor();
    expect(await readStored(page)).not.toContain('hunter2');
  });
});
