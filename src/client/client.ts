// The client: who is signed in, and one refresh at a time.

import { createAuthApi } from './api.ts';
import { checkOptions } from './check-options.ts';
import { AuthClientError } from './error.ts';
import type { Platform } from './platform.ts';
import { isNewer, needsRefresh, type Session, SIGNED_OUT, type Tokens } from './session.ts';
import { createSessionStorage, isPromise } from './storage.ts';
import { createTabSync } from './tabs.ts';
import { waitUpTo } from './time-limit.ts';
import type {
  AuthClient,
  AuthClientOptions,
  AuthPayload,
  Credentials,
  SignedOutReason,
  User,
} from './types.ts';

const MAX_TOKEN_OWNERS = 20;
/** How long a request waits for a refresh while its token still lives. */
const REFRESH_WAIT_MS = 2_000;

/** A client on a platform; see `createAuthClient`. */
export function createClient(options: AuthClientOptions, platform: Platform): AuthClient {
  checkOptions(options);
  const { now } = platform;
  // The global one is looked up at each request: tracing and tests replace it after the client was created.
  const { storage: place, fetch = (...request) => globalThis.fetch(...request) } = options;
  const url = new URL(options.url, platform.baseUrl).href;
  const name = `bandha:1:${url}`;
  const wire = createAuthApi(url, fetch);
  const findStorage = () => (place === 'localStorage' ? platform.storage : undefined);
  const storage = createSessionStorage(typeof place === 'object' ? () => place : findStorage, name, now);
  const tabs = createTabSync(name, {
    findLocks: () => platform.locks,
    channel: platform.openChannel?.(name),
    now,
    current: () => session,
    receive,
  });
  const signedOutListeners = new Set<(reason: SignedOutReason) => void>();
  const userListeners = new Set<(user: User | null) => void>();

  const owners = new Map<string, string>();

  let session = SIGNED_OUT;
  /** Counts what was asked for in this tab: of logins and logouts that overlap, the last one counts. */
  let latestRequest = 0;
  let refreshing: { of: Session; done: Promise<void> } | undefined;
  if (options.tokens) void change(createSession(options.tokens));
  const ready = catchUp();

  /** Takes over what is newer than what is known; settled when other tabs can see it. */
  async function receive(next: Session): Promise<void> {
    if (!isNewer(next, session)) return;
    const { tokens: before } = session;
    session = next;
    const { tokens, reason } = next;
    if (tokens) setTokenOwner(tokens);
    else storage.save(next); // what another tab wrote before it heard must not come back
    if (before && !tokens) notify(signedOutListeners, reason ?? 'LOGOUT');
    const user = tokens?.user ?? null;
    if (JSON.stringify(before?.user ?? null) !== JSON.stringify(user)) notify(userListeners, user);
    await tabs.publishVersion(session);
  }

  /** Of the last tokens, so that nobody's request goes out as somebody else's. */
  function setTokenOwner({ accessToken, user }: Tokens): void {
    owners.set(accessToken, user.id);
    const [oldest = ''] = owners.keys();
    if (owners.size > MAX_TOKEN_OWNERS) owners.delete(oldest);
  }

  /** Changes the session, here and everywhere, unless something newer has happened. */
  async function change(next: Session): Promise<void> {
    if (!isNewer(next, session)) return;
    const saved = storage.save(next);
    tabs.broadcast(next);
    await receive(next);
    await saved;
  }

  /** Ends the session of this sign-in; one that has begun since stays. */
  function end({ epoch, id }: Session, reason: SignedOutReason): Promise<void> {
    return change({ epoch, id, step: Number.POSITIVE_INFINITY, tokens: null, reason });
  }

  async function catchUp(): Promise<void> {
    const take = (stored: Session | undefined) => void (stored && receive(stored));
    const stored = storage.load();
    if (isPromise(stored)) await waitUpTo(REFRESH_WAIT_MS, stored.then(take));
    else take(stored);
    await tabs.sync();
  }

  function toTokens({ accessToken, refreshToken, user, expiresIn }: AuthPayload, previous?: string): Tokens {
    const lifetimeMs = expiresIn * 1000;
    return { accessToken, refreshToken, user, lifetimeMs, expiresAtMs: now() + lifetimeMs, previous };
  }

  /** Of a new sign-in; by the wall clock too, for tabs that have not heard of each other. */
  function createSession(payload: AuthPayload): Session {
    const epoch = Math.max(Date.now(), session.epoch + 1);
    return { epoch, id: String(Math.random()), step: 0, tokens: toTokens(payload) };
  }

  async function signIn(verb: 'register' | 'login', credentials: Credentials): Promise<User> {
    latestRequest += 1;
    const requestId = latestRequest;
    await ready;
    const issued = await wire[verb](credentials);
    if (requestId !== latestRequest) {
      wire.logout(issued.refreshToken).catch(() => {}); // nobody waits for a session that nobody has
      throw new AuthClientError('SUPERSEDED', 'A later login or logout came before the answer');
    }
    const { tokens: before } = session;
    await change(createSession(issued));
    if (before) wire.logout(before.refreshToken).catch(() => {}); // nobody uses the session before any more
    return issued.user;
  }

  /** Refreshes the current session; whoever asks meanwhile waits for the same answer. */
  function refresh(): Promise<void> {
    const of = session;
    if (refreshing?.of !== of) {
      const done = tabs
        .withLock(() => refreshNow(of))
        .finally(() => {
          if (refreshing?.of === of) refreshing = undefined;
        });
      refreshing = { of, done };
    }
    return refreshing.done;
  }

  async function refreshNow(of: Session): Promise<void> {
    await catchUp();
    if (session !== of || !of.tokens) return; // somebody else has refreshed, signed in or signed out
    const { refreshToken, accessToken } = of.tokens;
    try {
      // An answer that was lost is given again, but not for long.
      const issued = await wire.refresh(refreshToken).catch((error) => {
        if (error.code !== 'NETWORK_ERROR') throw error;
        return wire.refresh(refreshToken);
      });
      await change({ ...of, step: of.step + 1, tokens: toTokens(issued, accessToken) });
    } catch (error) {
      if (!(error instanceof AuthClientError) || error.code !== 'INVALID_REFRESH_TOKEN') throw error;
      await end(of, (error.reason ?? 'UNKNOWN') as SignedOutReason); // the reasons of that code are among them
    }
  }

  const currentToken = () => session.tokens?.accessToken ?? null;
  const addTo = <L>(listeners: Set<L>, listener: L) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  return {
    url,
    ready,
    get user() {
      return session.tokens?.user ?? null;
    },
    register: (credentials) => signIn('register', credentials),
    login: (credentials) => signIn('login', credentials),
    async logout() {
      latestRequest += 1;
      await ready;
      const { tokens } = session;
      if (!tokens) return;
      const ended = end(session, 'LOGOUT');
      await wire.logout(tokens.refreshToken).catch(() => {}); // signed out all the same
      await ended; // nothing is stored any more
    },
    async accessToken() {
      await ready;
      const { tokens: before } = session;
      if (!before || !needsRefresh(before, now())) return currentToken();
      const done = refresh().catch((error) => {
        const { tokens } = session;
        if (tokens && now() >= tokens.expiresAtMs) throw error;
      });
      await (now() < before.expiresAtMs ? waitUpTo(REFRESH_WAIT_MS, done) : done);
      if (session.tokens && session.tokens.user.id !== before.user.id) {
        throw new AuthClientError('SUPERSEDED', 'Somebody else has signed in meanwhile');
      }
      return currentToken();
    },
    async renew(rejectedToken) {
      await ready;
      if (currentToken() === rejectedToken) await refresh();
      return session.tokens?.user.id === owners.get(rejectedToken) ? currentToken() : null;
    },
    revoked(rejectedToken) {
      const { tokens } = session;
      if (tokens && [tokens.accessToken, tokens.previous].includes(rejectedToken)) {
        void end(session, 'TOKEN_REVOKED');
      }
    },
    onSignedOut: (listener) => addTo(signedOutListeners, listener),
    onUserChanged: (listener) => addTo(userListeners, listener),
    close() {
      void Promise.allSettled([ready, refreshing?.done]).then(tabs.close);
    },
  };
}

/** A listener that throws is reported as any uncaught error is, and keeps nobody else from hearing. */
function notify<T>(listeners: Set<(value: T) => void>, value: T): void {
  for (const listener of listeners) queueMicrotask(() => listener(value));
}
