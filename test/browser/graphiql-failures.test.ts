// GraphiQL while the server is stopped, slow or behind a failing proxy: one sentence and a button to continue.
import type { Request } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.ts';
import { type OpenGraphiql, openGraphiql, waitForFocus } from './open-graphiql.ts';

const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';
const ANY = '**/graphql';

/** Text of the response pane, with ordinary spaces. */
async function readResponse({ page }: OpenGraphiql): Promise<string> {
  const text = await page.locator('.graphiql-response .view-lines').innerText();
  return text.replaceAll(/\s+/g, ' ');
}

describe.skipIf(!hasChromium)('GraphiQL', () => {
  let graphiql: OpenGraphiql;
  afterEach(() => graphiql[Symbol.asyncDispose]());

  it('the notice reports that the server is unreachable and offers to try again', async () => {
    graphiql = await openGraphiql();
    const { page, notice, server } = graphiql;
    await graphiql.createAccount();
    await page.context().setOffline(true);
    await graphiql.run();
    await notice.getByText('The server cannot be reached.', { exact: true }).waitFor();
    await graphiql.waitForResponse(/cannot\sbe\sreached/);
    expect(await readResponse(graphiql)).not.toMatch(/stack|Failed to fetch|\.js/);
    await page.screenshot({ path: 'test-results/graphiql-stopped.png' });
    const again = notice.getByRole('button', { name: 'Try again' });
    await again.click();
    await waitForFocus(again);
    await page.context().setOffline(false);
    await page.keyboard.press('Enter');
    await graphiql.waitForResponse(/granted/);
    expect(await notice.textContent()).toBe('');
    expect(server.url).toContain('127.0.0.1');
  });

  it('the notice reports a stopped server if the token has expired too', async () => {
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
    ['the error page of a proxy', { status: 502, contentType: 'text/html', body: HTML }, 'status 502'],
    ['an empty body', { status: 504, body: '' }, 'status 504'],
    ['JSON that is not a result', { status: 200, json: { ok: true } }, 'status 200'],
    ['JSON that is not an object', { status: 200, json: null }, 'status 200'],
  ])('the notice reports a response without a GraphQL result: %s', async (_, response, status) => {
    graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await page.route(ANY, (route) => route.fulfill(response));
    await graphiql.run();
    await notice.getByText(`The response with ${status} is not a GraphQL result.`).waitFor();
    await graphiql.waitForResponse(/not\sa\sGraphQL\sresult/);
    expect(await readResponse(graphiql)).not.toMatch(/stack|SyntaxError|\.js/);
    await page.unroute(ANY);
    await notice.getByRole('button', { name: 'Try again' }).click();
    await graphiql.waitForResponse(/MISSING_TOKEN/);
  });

  it('a query times out if the server never responds', async () => {
    graphiql = await openGraphiql();
    const { page, notice } = graphiql;
    await page.addInitScript(() => {
      const { setTimeout } = globalThis;
      const shorten = (callback: () => void, ms?: number) => setTimeout(callback, ms === 60_000 ? 100 : ms);
      globalThis.setTimeout = shorten as typeof globalThis.setTimeout; // has the signature that the page uses
    });
    await page.reload();
    await page.route(ANY, () => {});
    await graphiql.run();
    await notice.getByText('The server did not respond within 60 seconds.').waitFor();
    await notice.getByRole('button', { name: 'Try again' }).waitFor();
  });

  it('a subscription that loses its connection reports it and keeps its last event', async () => {
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
    await graphiql.waitForResponse(/"ticks":\s*7/);
    await server.stop();
    await notice.getByText('The connection to the server was lost.').waitFor();
    await notice.getByRole('button', { name: 'Try again' }).waitFor();
    expect(await readResponse(graphiql)).toContain('"ticks": 7');
  });

  it('a subscription that cannot start reports that the server is unreachable', async () => {
    const typeDefs = 'type Subscription { ticks: Int! }';
    graphiql = await openGraphiql({ typeDefs });
    const { server, notice } = graphiql;
    await graphiql.write('.graphiql-query-editor', 'subscription { ticks }');
    await server.stop();
    await graphiql.run();
    await notice.getByText('The server cannot be reached.').waitFor();
    expect(await readResponse(graphiql)).not.toMatch(/stack|Failed to fetch/);
  });

  it('the explorer offers to load the schema again after a failure', async () => {
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

  it('the explorer reports missing access rules and loads them again', async () => {
    graphiql = await openGraphiql();
    const { page } = graphiql;
    await page.route('**/requirements.json', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByText('The access rules could not be loaded.').waitFor();
    await page.unroute('**/requirements.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The access rules could not be loaded.').waitFor({ state: 'detached' });
  });

  it('the panel reports that sessions cannot be loaded and loads them again', async () => {
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

  it('the sign-in form reports an unexpected response', async () => {
    graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    await page.route(ANY, (route) => route.fulfill({ status: 502, contentType: 'text/html', body: HTML }));
    await graphiql.fillIn('ada@example.com');
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByRole('alert').getByText('The server sent an unexpected response. Try again.').waitFor();
  });

  it('the panel offers account creation before the first response', async () => {
    graphiql = await openGraphiql();
    const { page, panel } = graphiql;
    const sent = new Set<Request>();
    let responses = 0;
    page.on('response', (response) => {
      if (sent.has(response.request())) responses += 1;
    });
    await page.route(ANY, (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      sent.add(route.request());
    });
    await page.reload();
    await panel.getByRole('button', { name: 'Create account' }).waitFor();
    expect(responses).toBe(0);
  });
});
