// Shared tests of the Apollo link and the urql exchange: sending, renewing and revoking tokens.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import type { BandhaOptions } from '../../../src/bandha.ts';
import { type AuthClient, AuthClientError } from '../../../src/client/index.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { ADA, countRefreshes, createTabs, cutRefresh, expire, SECURE, type Tab } from './tab.ts';

/** Result of an operation in an app. */
export interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: tests read fields of any query
  data?: any;
  /** `extensions.reason` of each GraphQL error, or its code if it has no reason. */
  reasons: unknown[];
  /** The error if there is no GraphQL response. */
  networkError?: unknown;
}

/** A GraphQL client with the link or exchange under test. */
export interface App {
  run(document: string): Promise<Outcome>;
  /** Runs an operation that can be canceled. */
  watch(document: string, next: (outcome: Outcome) => void): { stop(): void };
  close(): void;
}

export interface AppOptions {
  url: string;
  client: AuthClient;
  fetch: typeof fetch;
}

const READS = 'query Reads { secureData { message } }';
const FOR_ADMINS = 'query ForAdmins { forAdmins }';
const COUNT_BOTH = 'mutation CountBoth { count countSignedIn }';
const COUNT_SIGNED_IN = 'mutation CountSignedIn { countSignedIn }';
const TICKS = 'subscription Ticks { ticks }';

export function describeLink(createApp: (options: AppOptions) => App): void {
  let server: TestServer;
  let tab: Tab;
  let app: App;
  /** `Authorization` headers of the app’s own operations. */
  let sent: (string | null)[];
  let counted: number;
  const tabs = createTabs(() => server);

  async function start(options: BandhaOptions = {}): Promise<void> {
    counted = 0;
    const secureData = createSecureDataResolvers((userId) => server.bandha.accounts.findUser(userId));
    server = await startTestServer({
      typeDefs: /* GraphQL */ `
        ${secureDataTypeDefs}
        extend type Query { forAdmins: String @auth(roles: ["admin"]) }
        extend type Mutation { count: Int!  countSignedIn: Int @auth }
        type Subscription { ticks: Int! @auth }
      `,
      resolvers: {
        ...secureData,
        Query: { ...secureData.Query, forAdmins: () => 'hello' },
        Mutation: {
          count: () => {
            counted += 1;
            return counted;
          },
          countSignedIn: () => {
            counted += 1;
            return counted;
          },
        },
        Subscription: {
          ticks: {
            async *subscribe() {
              yield { ticks: 1 };
              await new Promise(() => {});
            },
          },
        },
      },
      ...options,
    });
    tab = tabs.open();
    sent = [];
    app = open();
  }
  const open = (
    send: typeof fetch = fetch,
    { client }: Pick<Tab, 'client'> = tab,
    url = `${server.url}/graphql`,
  ) =>
    createApp({
      url,
      client,
      fetch: (input, init) => {
        sent.push(new Headers(init?.headers).get('authorization'));
        return send(input, init);
      },
    });
  const restart = async (options: BandhaOptions) => {
    await stop();
    await start(options);
  };
  const stop = async () => {
    app.close();
    tabs.close();
    await server.close();
  };
  beforeEach(() => start());
  afterEach(stop);

  const token = async () => (await tab.client.accessToken()) ?? '';

  it('the link sends no header if no user is signed in', async () => {
    expect(await app.run(SECURE)).toMatchObject({ reasons: ['MISSING_TOKEN'] });
    expect(sent).toEqual([null]);
  });

  it('the link sends the token of the client', async () => {
    await tab.client.register(ADA);
    const { data, reasons } = await app.run(SECURE);
    expect(data?.secureData).toMatchObject({ user: { email: ADA.email } });
    expect(reasons).toEqual([]);
    expect(sent).toEqual([`Bearer ${await token()}`]);
  });

  it('an operation rejected as TOKEN_EXPIRED is sent again with a new token', async () => {
    await tab.client.register(ADA);
    const old = await token();
    expire(server);
    const { data, reasons } = await app.run(SECURE);
    expect(data?.secureData.user.email).toBe(ADA.email);
    expect(reasons).toEqual([]);
    expect(sent).toEqual([`Bearer ${old}`, `Bearer ${await token()}`]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('a token that the client knows to be expired is refreshed before sending', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    expire(server);
    expect((await app.run(SECURE)).reasons).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['by the server', false],
    ['by the client', true],
  ])('a hundred operations at an expiry detected %s share one refresh', async (_, isKnown) => {
    await tab.client.register(ADA);
    expire(server);
    if (isKnown) tab.clock.nowMs += 601_000;
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_item, index) => app.run(`query Q${index} { secureData { message } }`)),
    );
    expect(outcomes.map(({ data }) => data?.secureData?.message)).toEqual(
      Array(100).fill('Secure data access granted'),
    );
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
    expect(sent).toHaveLength(isKnown ? 100 : 200);
  });

  it('equal mutations at expiry are all executed', async () => {
    await tab.client.register(ADA);
    expire(server);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => app.run(COUNT_SIGNED_IN)));
    expect(outcomes.map(({ data }) => data?.countSignedIn).sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('an operation is sent again only once if the server reports expiry again', async () => {
    await tab.client.register(ADA);
    const old = await token();
    expire(server);
    const stubborn = open((input, init) =>
      fetch(input, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${old}` },
      }),
    );
    expect((await stubborn.run(SECURE)).reasons).toEqual(['TOKEN_EXPIRED']);
    expect(sent).toHaveLength(2);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
    stubborn.close();
  });

  it('a forbidden field causes no refresh', async () => {
    await tab.client.register(ADA);
    expect((await app.run(FOR_ADMINS)).reasons).toEqual(['MISSING_ROLE']);
    expect(await countRefreshes(server)).toEqual({});
    expect(sent).toHaveLength(1);
  });

  it('a revoked session signs out once without a refresh', async () => {
    await tab.client.register(ADA);
    await server.send('mutation { logout }', { token: await token() });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, index) => app.run(`query Q${index} { secureData { message } }`)),
    );
    expect(outcomes.map(({ reasons }) => reasons)).toEqual(Array(5).fill(['TOKEN_REVOKED']));
    expect(tab.signedOut).toEqual(['TOKEN_REVOKED']);
    expect(await countRefreshes(server)).toEqual({});
    expect(sent).toHaveLength(5);
  });

  it('the first response is delivered if the refresh token is rejected', async () => {
    await tab.client.register(ADA);
    await server.send('mutation { logout }', { token: await token() });
    expire(server); // the server checks the expiry before the session
    const outcomes = await Promise.all([app.run(READS), app.run(SECURE)]);
    expect(outcomes.map(({ reasons }) => reasons)).toEqual([['TOKEN_EXPIRED'], ['TOKEN_EXPIRED']]);
    expect(tab.signedOut).toEqual(['REVOKED']);
    expect(await countRefreshes(server)).toEqual({ REVOKED: 1 });
  });

  it('an operation fails with the error of its refresh and works the next time', async () => {
    await tab.client.register(ADA);
    expire(server);
    const held = tab.hold('refresh');
    const running = app.run(SECURE);
    await cutRefresh(tab, held);
    const { networkError } = await running;
    expect(networkError).toBeInstanceOf(AuthClientError);
    expect(networkError).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(tab.signedOut).toEqual([]);
    expect((await app.run(SECURE)).data?.secureData.user.email).toBe(ADA.email);
  });

  it('an operation is not sent if its expired token cannot be refreshed', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    const held = tab.hold('refresh');
    const running = app.run(SECURE);
    await cutRefresh(tab, held);
    expect((await running).networkError).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(sent).toEqual([]);
  });

  it('a network error of the operation is passed on', async () => {
    await tab.client.register(ADA);
    const cut = open(() => Promise.reject(new TypeError('fetch failed')));
    expect(String((await cut.run(SECURE)).networkError)).toContain('fetch failed');
    expect(tab.client.user?.email).toBe(ADA.email);
    cut.close();
  });

  it('an operation canceled before it has a token is not sent', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    const held = tab.hold('refresh');
    const received: Outcome[] = [];
    const watch = app.watch(SECURE, (outcome) => received.push(outcome));
    await held.arrived;
    watch.stop();
    held.release();
    await token();
    await app.run(READS);
    expect(received).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it('an operation canceled while its token is renewed is not sent again', async () => {
    await tab.client.register(ADA);
    const old = await token();
    expire(server);
    const held = tab.hold('refresh');
    const received: Outcome[] = [];
    const watch = app.watch(SECURE, (outcome) => received.push(outcome));
    await held.arrived;
    watch.stop();
    held.release();
    await tab.client.renew(old);
    await app.run(READS);
    expect(received).toEqual([]);
    expect(sent).toEqual([`Bearer ${old}`, `Bearer ${await token()}`]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  describe('with onDenied null', () => {
    beforeEach(() => restart({ onDenied: 'null' }));

    it('TOKEN_EXPIRED in a partial result leads to a renewed, complete result', async () => {
      await tab.client.register(ADA);
      expire(server);
      const { data, reasons } = await app.run('query Both { viewer { email } secureData { message } }');
      expect(data).toMatchObject({ viewer: { email: ADA.email }, secureData: {} });
      expect(reasons).toEqual([]);
      expect(sent).toHaveLength(2);
    });

    it('a mutation that was executed in part is not sent again', async () => {
      await tab.client.register(ADA);
      expire(server);
      const { reasons } = await app.run(COUNT_BOTH);
      expect(reasons).toEqual(['TOKEN_EXPIRED']);
      expect(counted).toBe(1);
      expect(sent).toHaveLength(1);
    });
  });

  it('a subscription is opened again each time its token expires', async () => {
    await tab.client.register(ADA);
    const received: Outcome[] = [];
    let nextResult = Promise.withResolvers<void>();
    const watch = app.watch(TICKS, (outcome) => {
      received.push(outcome);
      nextResult.resolve();
    });
    await nextResult.promise;
    for (const role of ['editor', 'author', 'reader']) {
      nextResult = Promise.withResolvers();
      // Expires older access tokens, and ends subscriptions opened with them.
      await changeRoles({ store: server.bandha.store, now: () => server.clock.now }, ADA.email, {
        add: [role],
      });
      await nextResult.promise;
    }
    watch.stop();
    expect(received.map(({ data, reasons }) => [data?.ticks, reasons])).toEqual(Array(4).fill([1, []]));
    expect(sent).toHaveLength(4);
    expect(await countRefreshes(server)).toEqual({ ok: 3 });
  });
}
