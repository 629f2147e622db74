// Synchronizes the session among the tabs of a browser, and lets one tab at a time refresh.
import type { Channel, Locks } from './platform.ts';
import { isNewer, type Session, shiftClock, type Version } from './session.ts';
import { abortAfter } from './time-limit.ts';

/** A tab that takes longer to reply is suspended. */
const REPLY_TIMEOUT_MS = 1_000;
/**
 * Longer than two attempts of a refresh. A tab that holds the lock longer is suspended, so this tab continues without it; the
 * server gives two tabs that use one refresh token within its grace period the same tokens.
 */
const LOCK_TIMEOUT_MS = 10_000;

export interface TabSync {
  /** Runs `work` while no other tab runs its own. */
  withLock(work: () => Promise<void>): Promise<void>;
  /** Waits for the newest session that other tabs have published. */
  sync(): Promise<void>;
  /** Sends the session to the other tabs. */
  broadcast(session: Session): void;
  /** Publishes the version of this tab's session for `sync` in other tabs; resolves when it is visible. */
  publishVersion(session: Session): Promise<void>;
  /** Closes the channel and releases the locks. */
  close(): void;
}

export interface TabSyncDeps {
  /** Called at each use; without locks, tabs refresh without waiting for each other. */
  findLocks: () => Locks | undefined;
  channel: Channel | undefined;
  /** The monotonic clock of this tab. */
  now: () => number;
  /** This tab's session. */
  current: () => Session;
  /** Called with the session of another tab. */
  receive: (session: Session) => void;
}

/**
 * Connects a tab to the others. Messages and locks are not ordered with each other: a tab may get the lock before the message with
 * the previous holder's new tokens arrives. Therefore each signed-in tab holds a shared lock whose name contains its session's
 * version. `sync` compares these names with the current version and waits for a message only if a newer one exists.
 */
export function createTabSync(
  name: string,
  { findLocks, channel, now, current, receive }: TabSyncDeps,
): TabSync {
  const waiters = new Set<() => void>();
  let isOpen = channel !== undefined;
  let releaseVersion = () => {};
  if (channel) channel.onmessage = ({ data }: MessageEvent<Session | null>) => onMessage(data);

  /** @param message a session; null requests one */
  function onMessage(message: Session | null): void {
    if (message === null) broadcast(current());
    else receive(shiftClock(message, now()));
    for (const check of waiters) check();
  }

  function broadcast(session: Session): void {
    if (isOpen) channel?.postMessage(shiftClock(session, -now()));
  }

  function waitForVersion(version: Version): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (isOpen && isNewer(version, current())) return;
        clearTimeout(timer);
        waiters.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        waiters.delete(check);
        resolve();
      }, REPLY_TIMEOUT_MS);
      waiters.add(check);
      channel?.postMessage(null); // requests the session of other tabs
    });
  }

  return {
    broadcast,
    async withLock(work) {
      const locks = findLocks();
      if (!locks || !isOpen) return work();
      let isStarted = false;
      const start = () => {
        isStarted = true;
        return work();
      };
      try {
        await abortAfter(LOCK_TIMEOUT_MS, (signal) => locks.request(name, { signal }, start));
      } catch (error) {
        if (isStarted) throw error;
        await work();
      }
    },
    async sync() {
      if (!isOpen) return;
      const { held } =
        (await findLocks()
          ?.query()
          .catch(() => undefined)) ?? {};
      if (!held) return channel?.postMessage(null);
      let newest: Version = current();
      for (const lock of held) {
        const version = parseVersion(name, lock.name);
        if (version && isNewer(version, newest)) newest = version;
      }
      if (isOpen && isNewer(newest, current())) await waitForVersion(newest);
    },
    publishVersion({ epoch, id, step, tokens }) {
      const releasePrevious = releaseVersion;
      const locks = findLocks();
      const released = new Promise<void>((resolve) => {
        releaseVersion = resolve;
      });
      return new Promise((resolve) => {
        const settle = () => {
          releasePrevious();
          resolve();
        };
        if (!locks || !tokens || !isOpen) return settle();
        const hold = () => {
          settle();
          return released;
        };
        locks.request(`${name}:${epoch}:${id}:${step}`, { mode: 'shared' }, hold).catch(settle);
      });
    },
    close() {
      isOpen = false;
      releaseVersion();
      channel?.close();
      for (const check of waiters) check();
    },
  };
}

function parseVersion(name: string, lock: string | undefined): Version | undefined {
  if (!lock?.startsWith(`${name}:`)) return undefined;
  const [epoch, id = '', step] = lock.slice(name.length + 1).split(':');
  return { epoch: Number(epoch), id, step: Number(step) };
}
