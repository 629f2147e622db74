// What the Apollo link and the urql exchange have in common: what they do with tokens, and with refusals of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import type { BandhaOptions } from '../../../src/bandha.ts';
import { type AuthClient, AuthClientError } from '../../../src/client/index.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { ADA, countRefreshes, createTabs, cutRefresh, expire, SECURE, type Tab } from './tab.ts';

/** What an app has of an operation in the end. */
export interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server answers
  data?: any;
  /** `extensions.reason` of each GraphQL error, or its code where it has none. */
  reasons: unknown[];
  /** What went wrong where there was no answer. */
  fault?: unknown;
}

/** A GraphQL client with the link or exchange under test. */
export interface App {
  run(document: string): Promise<Outcome>;
  /** Runs it for whoever may lose interest. */
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
  /** The tokens that the app’s own operations were sent with. */
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

  it('sends no header where nobody is signed in, and passes the refusal on', async () => {
    expect(await app.run(SECURE)).toMatchObject({ reasons: ['MISSING_TOKEN'] });
    expect(sent).toEqual([null]);
  });

  it('sends the token of the client', async () => {
    await tab.client.register(ADA);
    const { data, reasons } = await app.run(SECURE);
    expect(data?.secureData).toMatchObject({ user: { email: ADA.email } });
    expect(reasons).toEqual([]);
    expect(sent).toEqual([`Bearer ${await token()}`]);
  });

  it('renews what has expired, and sends the operation once more', async () => {
    await tab.client.register(ADA);
    const old = await token();
    expire(server);
    const { data, reasons } = await app.run(SECURE);
    expect(data?.secureData.user.email).toBe(ADA.email);
    expect(reasons).toEqual([]);
    expect(sent).toEqual([`Bearer ${old}`, `Bearer ${await token()}`]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('refreshes before it sends where the client knows that the token has expired', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    expire(server);
    expect((await app.run(SECURE)).reasons).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['the server refuses it', false],
    ['the client knows', true],
  ])('refreshes once for a hundred operations at the moment of expiry, when %s', async (_, isKnown) => {
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

  it('loses none of several equal mutations at the moment of expiry', async () => {
    await tab.client.register(ADA);
    expire(server);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => app.run(COUNT_SIGNED_IN)));
    expect(outcomes.map(({ data }) => data?.countSignedIn).sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('tries once more and no further where the server goes on answering that it has expired', async () => {
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

  it('does not refresh for what is forbidden', async () => {
    await tab.client.register(ADA);
    expect((await app.run(FOR_ADMINS)).reasons).toEqual(['MISSING_ROLE']);
    expect(await countRefreshes(server)).toEqual({});
    expect(sent).toHaveLength(1);
  });

  it('does not refresh for a session that has ended, and signs out once', async () => {
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

  it('passes the refusal on where the refresh is refused, and signs out once', async () => {
    await tab.client.register(ADA);
    await server.send('mutation { logout }', { token: await token() });
    expire(server); // looked at before whether its session has ended
    const outcomes = await Promise.all([app.run(READS), app.run(SECURE)]);
    expect(outcomes.map(({ reasons }) => reasons)).toEqual([['TOKEN_EXPIRED'], ['TOKEN_EXPIRED']]);
    expect(tab.signedOut).toEqual(['REVOKED']);
    expect(await countRefreshes(server)).toEqual({ REVOKED: 1 });
  });

  it('fails with the reason where the refresh does, and works the next time', async () => {
    await tab.client.register(ADA);
    expire(server);
    const held = tab.hold('refresh');
    const running = app.run(SECURE);
    await cutRefresh(tab, held);
    const { fault } = await running;
    expect(fault).toBeInstanceOf(AuthClientError);
    expect(fault).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(tab.signedOut).toEqual([]);
    expect((await app.run(SECURE)).data?.secureData.user.email).toBe(ADA.email);
  });

  it('fails with the reason where the token has expired and cannot be refreshed', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    const held = tab.hold('refresh');
    const running = app.run(SECURE);
    await cutRefresh(tab, held);
    expect((await running).fault).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(sent).toEqual([]);
  });

  it('passes on that the server cannot be reached', async () => {
    await tab.client.register(ADA);
    const cut = open(() => Promise.reject(new TypeError('fetch failed')));
    expect(String((await cut.run(SECURE)).fault)).toContain('fetch failed');
    expect(tab.client.user?.email).toBe(ADA.email);
    cut.close();
  });

  it('sends nothing for whoever has lost interest before the token was there', async () => {
    await tab.client.register(ADA);
    tab.clock.nowMs += 601_000;
    const held = tab.hold('refresh');
    const heard: Outcome[] = [];
    const watch = app.watch(SECURE, (outcome) => heard.push(outcome));
    await held.arrived;
    watch.stop();
    held.release();
    await token();
    await app.run(READS);
    expect(heard).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it('sends nothing again for whoever has lost interest while it was renewed', async () => {
    await tab.client.register(ADA);
    const old = await token();
    expire(server);
    const held = tab.hold('refresh');
    const heard: Outcome[] = [];
    const watch = app.watch(SECURE, (outcome) => heard.push(outcome));
    await held.arrived;
    watch.stop();
    held.release();
    await tab.client.renew(old);
    await app.run(READS);
    expect(heard).toEqual([]);
    expect(sent).toEqual([`Bearer ${old}`, `Bearer ${await token()}`]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  describe('where a denied field is null and the others are delivered', () => {
    beforeEach(() => restart({ onDenied: 'null' }));

    it('renews for the errors of a 200, and delivers the whole', async () => {
      await tab.client.register(ADA);
      expire(server);
      const { data, reasons } = await app.run('query Both { viewer { email } secureData { message } }');
      expect(data).toMatchObject({ viewer: { email: ADA.email }, secureData: {} });
      expect(reasons).toEqual([]);
      expect(sent).toHaveLength(2);
    });

    it('does not send a mutation again of which a part has run', async () => {
      await tab.client.register(ADA);
      expire(server);
      const { reasons } = await app.run(COUNT_BOTH);
      expect(reasons).toEqual(['TOKEN_EXPIRED']);
      expect(counted).toBe(1);
      expect(sent).toHaveLength(1);
    });
  });

  it('opens a subscription again each time that it ends with its token', async () => {
    await tab.client.register(ADA);
    const heard: Outcome[] = [];
    let whenHeard = Promise.withResolvers<void>();
    const watch = app.watch(TICKS, (outcome) => {
      heard.push(outcome);
      whenHeard.resolve();
    });
    await whenHeard.promise;
    for (const role of ['editor', 'author', 'reader']) {
      whenHeard = Promise.withResolvers();
      // Makes the tokens of before as good as expired, and ends what was opened with them.
      await changeRoles({ store: server.bandha.store, now: () => server.clock.now }, ADA.email, {
        add: [role],
      });
      await whenHeard.promise;
    }
    watch.stop();
    expect(heard.map(({ data, reasons }) => [data?.ticks, reasons])).toEqual(Array(4).fill([1, []]));
    expect(sent).toHaveLength(4);
    expect(await countRefreshes(server)).toEqual({ ok: 3 });
  });
}
