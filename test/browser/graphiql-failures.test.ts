// GraphiQL while the server is stopped, slow, or behind a proxy that answers itself: one sentence each, and a way on.
import type { Request } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { type OpenGraphiql, openGraphiql, waitForFocus } from './open-graphiql.ts';

const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';
const ANY = '**/graphql';

/** What the response pane shows, without the spaces that the editor does not break. */
async function readResponse({ page }: OpenGraphiql): Promise<string> {
  const text = await page.locator('.graphiql-response .view-lines').innerText();
  return text.replaceAll(/\s+/g, ' ');
}

describe.skipIf(!hasChromium)('GraphiQL', () => {
  let graphiql: OpenGraphiql;
  afterEach(() => graphiql[Symbol.asyncDispose]());

  it('says in one sentence that the server is stopped, and tries again', async () => {
    graphiql = await openGraphiql();
    const { page, notice, server } = graphiql;
    await graphiql.createAccount();
    await page.context().setOffline(true);
    await graphiql.run();
    await notice.getByText('The server cannot be reached.', { exact: true }).waitFor();
    await graphiql.answer(/cannot\sbe\sreached/);
    expect(await readResponse(graphiql)).not.toMatch(/stack|Failed to fetch|\.js/);
    await page.screenshot({ path: 'test-results/graphiql-stopped.png' });
    const again = notice.getByRole('button', { name: 'Try again' });
    await again.click();
    await waitForFocus(again);
    await page.context().setOffline(false);
    await page.keyboard.press('Enter');
    await graphiql.answer(/granted/);
    expect(await notice.textContent()).toBe('');
    expect(server.url).toContain('127.0.0.1');
  });

  it('says so of a server that is stopped indeed, with a token that has expired', async () => {
    graphiql = await openGraphiql();
    const { notice, server, page } = graphiql;
    await graphiql.createAccount();
    await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    await server.stop();
    await graphiql.run();
    await notice.getByText('The server cannot be reached.', { exact: true }).waitFor();
    await notice.getByRole('button', { name: 'Try again' }).waitFor();
  });

  it.each([
    ['a page of a proxy', { status: 502, contentType: 'text/html', body: HTML }, 'status 502'],
    ['an empty body', { status: 504, body: '' }, 'status 504'],
    ['JSON that is no result', { status: 200, json: { ok: true } }, 'status 200'],
    ['JSON that is no object', { status: 200, json: null }, 'status 200'],
  ])('says what came in place of a result: %s', async (_, response, status) => {
    graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await page.route(ANY, (route) => route.fulfill(response));
    await graphiql.run();
    await notice.getByText(`The server answered with ${status} and no GraphQL result.`).waitFor();
    await graphiql.answer(/no\sGraphQL\sresult/);
    expect(await readResponse(graphiql)).not.toMatch(/stack|SyntaxError|\.js/);
    await page.unroute(ANY);
    await notice.getByRole('button', { name: 'Try again' }).click();
    await graphiql.answer(/MISSING_TOKEN/);
  });

  it('gives up on a server that never answers', async () => {
    graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await page.addInitScript(() => {
      const { setTimeout } = globalThis;
      const shorten = (act: () => void, ms?: number) => setTimeout(act, ms === 60_000 ? 100 : ms);
      globalThis.setTimeout = shorten as typeof globalThis.setTimeout; // the parts that the page uses
    });
    await page.reload();
    await page.route(ANY, () => {});
    await graphiql.run();
    await notice.getByText('The server did not answer within 60 seconds.').waitFor();
    await notice.getByRole('button', { name: 'Try again' }).waitFor();
  });

  it('says that a subscription has lost its connection, and keeps its last event', async () => {
    const Subscription = {
      ticks: {
        async *subscribe() {
          yield { ticks: 7 };
          await new Promise(() => {});
        },
      },
    };
    graphiql = await openGraphiql({
      typeDefs: 'type Subscription { ticks: Int! }',
      resolvers: { Subscription },
    });
    const { server, notice } = graphiql;
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await graphiql.run();
    await graphiql.answer(/"ticks":\s*7/);
    await server.stop();
    await notice.getByText('The connection to the server was lost.').waitFor();
    await notice.getByRole('button', { name: 'Try again' }).waitFor();
    expect(await readResponse(graphiql)).toContain('"ticks": 7');
  });

  it('says that a subscription cannot begin', async () => {
    const typeDefs = 'type Subscription { ticks: Int! }';
    graphiql = await openGraphiql({ typeDefs });
    const { server, notice } = graphiql;
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await server.stop();
    await graphiql.run();
    await notice.getByText('The server cannot be reached.').waitFor();
    expect(await readResponse(graphiql)).not.toMatch(/stack|Failed to fetch/);
  });

  it('offers to load the schema again where that failed', async () => {
    graphiql = await openGraphiql();
    const { page } = graphiql;
    await page.route(ANY, (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({ status: 502, contentType: 'text/html', body: HTML })
        : route.continue(),
    );
    await page.reload();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('The schema could not be loaded.').waitFor();
    expect(await page.locator('body').innerText()).not.toMatch(/SyntaxError|Bad Gateway/);
    await page.unroute(ANY);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('mutation', { exact: true }).waitFor();
  });

  it('says where it is not known what fields need, and asks again', async () => {
    graphiql = await openGraphiql();
    const { page } = graphiql;
    await page.route('**/requirements.json', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('What fields need could not be loaded.').waitFor();
    await page.unroute('**/requirements.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('What fields need could not be loaded.').waitFor({ state: 'detached' });
  });

  it('says that the sessions cannot be listed, and asks again', async () => {
    graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    await page.route(ANY, (route) =>
      /sessions/.test(route.request().postData() ?? '') ? route.abort('connectionrefused') : route.continue(),
    );
    await graphiql.createAccount();
    await panel.getByRole('alert').getByText('The sessions could not be loaded.').waitFor();
    await page.unroute(ANY);
    await panel.getByRole('button', { name: 'Try again' }).click();
    await panel.getByRole('listitem').waitFor();
    await panel.getByText('The sessions could not be loaded.').waitFor({ state: 'detached' });
  });

  it('says at the form that no usable answer came', async () => {
    graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    await page.route(ANY, (route) => route.fulfill({ status: 502, contentType: 'text/html', body: HTML }));
    await graphiql.fillIn('ada@example.com');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByRole('alert').getByText('The server gave no usable answer. Try again.').waitFor();
  });

  it('offers to create an account before the server has answered anything', async () => {
    graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    const sent = new Set<Request>();
    let answered = 0;
    page.on('response', (response) => {
      if (sent.has(response.request())) answered += 1;
    });
    await page.route(ANY, (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      sent.add(route.request());
    });
    await page.reload();
    await panel.getByRole('button', { name: 'Create account' }).waitFor();
    expect(answered).toBe(0);
  });
});
