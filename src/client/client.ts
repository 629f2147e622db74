// The client's state machine: the current session, and at most one refresh in flight.
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

/** Number of recent access tokens whose user is recorded, for `renew`. */
const MAX_TOKEN_OWNERS = 20;
/** How long a request with a valid token waits for a refresh; then it is sent with the old token. */
const REFRESH_WAIT_MS = 2_000;

/** Creates a client on a given platform; see `createAuthClient`. */
export function createClient(options: AuthClientOptions, platform: Platform): AuthClient {
  checkOptions(options);
  const { now } = platform;
  // Reads the global fetch at each request, because tracing and tests may replace it after the client was created.
  const { storage: storageOption, fetch = (...request) => globalThis.fetch(...request) } = options;
  const url = new URL(options.url, platform.baseUrl).href;
  const name = `bandha:1:${url}`;
  const api = createAuthApi(url, fetch);
  const findStorage = () => {
    if (typeof storageOption === 'object') return storageOption;
    return storageOption === 'localStorage' ? platform.storage : undefined;
  };
  const storage = createSessionStorage(findStorage, name, now);
  const tabs = createTabSync(name, {
    findLocks: () => platform.locks,
    channel: platform.openChannel?.(name),
    now,
    current: () => session,
    receive,
  });
  const signedOutListeners = new Set<(reason: SignedOutReason) => void>();
  const userListeners = new Set<(user: User | null) => void>();
  /** User ids by recent access token. */
  const tokenOwners = new Map<string, string>();

  let session = SIGNED_OUT;
  /** Number of logins and logouts so far in this tab. If several overlap, the last one wins. */
  let latestRequest = 0;
  let refreshing: { of: Session; done: Promise<void> } | undefined;
  if (options.tokens) void publish(createSession(options.tokens));
  const ready = sync();

  /** Adopts a session if it is newer than the current one; resolves when other tabs can see its version. */
  async function receive(next: Session): Promise<void> {
    if (!isNewer(next, session)) return;
    const { tokens: before } = session;
    session = next;
    const { tokens, reason } = next;
    if (tokens) setTokenOwner(tokens);
    else storage.save(next); // another tab may have stored its session just before it received the sign-out
    if (before && !tokens) notify(signedOutListeners, reason ?? 'LOGOUT');
    const user = tokens?.user ?? null;
    if (JSON.stringify(before?.user ?? null) !== JSON.stringify(user)) notify(userListeners, user);
    await tabs.publishVersion(session);
  }

  /** Records the user of a token, so that `renew` never returns the token of another user. */
  function setTokenOwner({ accessToken, user }: Tokens): void {
    tokenOwners.set(accessToken, user.id);
    const [oldest = ''] = tokenOwners.keys();
    if (tokenOwners.size > MAX_TOKEN_OWNERS) tokenOwners.delete(oldest);
  }

  /** Changes the session here, in the storage and in other tabs, unless the current one is newer. */
  async function publish(next: Session): Promise<void> {
    if (!isNewer(next, session)) return;
    const saved = storage.save(next);
    tabs.broadcast(next);
    await receive(next);
    await saved;
  }

  /** Ends the session of this sign-in; a later sign-in is not affected. */
  function endSession({ epoch, id }: Session, reason: SignedOutReason): Promise<void> {
    return publish({ epoch, id, step: Number.POSITIVE_INFINITY, tokens: null, reason });
  }

  /** Adopts the newest session of the storage and the other tabs. */
  async function sync(): Promise<void> {
    const adopt = (stored: Session | undefined) => void (stored && receive(stored));
    const stored = storage.load();
    if (isPromise(stored)) await waitUpTo(REFRESH_WAIT_MS, stored.then(adopt));
    else adopt(stored);
    await tabs.sync();
  }

  function toTokens({ accessToken, refreshToken, user, expiresIn }: AuthPayload, previous?: string): Tokens {
    const lifetimeMs = expiresIn * 1000;
    return { accessToken, refreshToken, user, lifetimeMs, expiresAtMs: now() + lifetimeMs, previous };
  }

  /** Starts the session of a new sign-in. Its epoch uses the wall clock, so that it is newer even in tabs that were not connected. */
  function createSession(payload: AuthPayload): Session {
    const epoch = Math.max(Date.now(), session.epoch + 1);
    return { epoch, id: String(Math.random()), step: 0, tokens: toTokens(payload) };
  }

  async function signIn(mutation: 'register' | 'login', credentials: Credentials): Promise<User> {
    latestRequest += 1;
    const requestId = latestRequest;
    await ready;
    const payload = await api[mutation](credentials);
    if (requestId !== latestRequest) {
      revokeUnused(payload.refreshToken);
      throw new AuthClientError('SUPERSEDED', 'A later login or logout replaced this one');
    }
    const { tokens: before } = session;
    await publish(createSession(payload));
    if (before) revokeUnused(before.refreshToken);
    return payload.user;
  }

  /** Revokes a session that this client will not use. A failure is harmless: the session expires by itself. */
  function revokeUnused(refreshToken: string): void {
    api.logout(refreshToken).catch(() => {});
  }

  /** Refreshes the current session; concurrent calls share one request. */
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
    await sync();
    if (session !== of || !of.tokens) return; // another tab has refreshed, signed in or signed out
    const { refreshToken, accessToken } = of.tokens;
    try {
      // If the response was lost, the server repeats it for a short time to the same refresh token.
      const payload = await api.refresh(refreshToken).catch((error) => {
        if (error.code !== 'NETWORK_ERROR') throw error;
        return api.refresh(refreshToken);
      });
      await publish({ ...of, step: of.step + 1, tokens: toTokens(payload, accessToken) });
    } catch (error) {
      if (!(error instanceof AuthClientError) || error.code !== 'INVALID_REFRESH_TOKEN') throw error;
      await endSession(of, (error.reason ?? 'UNKNOWN') as SignedOutReason); // every reason of this code is a SignedOutReason
    }
  }

  const currentToken = () => session.tokens?.accessToken ?? null;
  const subscribe = <L>(listeners: Set<L>, listener: L) => {
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
      const ended = endSession(session, 'LOGOUT');
      await api.logout(tokens.refreshToken).catch(() => {}); // signs out here even if the server cannot be reached
      await ended; // resolves when the stored session is removed
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
        throw new AuthClientError('SUPERSEDED', 'Another user has signed in');
      }
      return currentToken();
    },
    async renew(rejectedToken) {
      await ready;
      if (currentToken() === rejectedToken) await refresh();
      return session.tokens?.user.id === tokenOwners.get(rejectedToken) ? currentToken() : null;
    },
    revoked(rejectedToken) {
      const { tokens } = session;
      if (tokens && [tokens.accessToken, tokens.previous].includes(rejectedToken)) {
        void endSession(session, 'TOKEN_REVOKED');
      }
    },
    onSignedOut: (listener) => subscribe(signedOutListeners, listener),
    onUserChanged: (listener) => subscribe(userListeners, listener),
    close() {
      void Promise.allSettled([ready, refreshing?.done]).then(tabs.close);
    },
  };
}

/** Calls each listener in its own microtask: an error is reported as uncaught and does not stop the other listeners. */
function notify<T>(listeners: Set<(value: T) => void>, value: T): void {
  for (const listener of listeners) queueMicrotask(() => listener(value));
}
