// One session for all tabs of a browser: they tell each other what changes, and one at a time refreshes.
import type { Channel, Locks } from './platform.ts';
import { isNewer, type Session, shiftClock, type Version } from './session.ts';
import { abortAfter } from './time-limit.ts';

/** Longer than a tab ever takes to answer that is not suspended. */
const REPLY_TIMEOUT_MS = 1_000;
/** Longer than two tries of a refresh take. Whoever holds the lock longer is suspended: the server answers two refreshes alike for a while. */
const LOCK_TIMEOUT_MS = 10_000;

export interface TabSync {
  /** Runs `work` while no other tab runs its own. */
  withLock(work: () => Promise<void>): Promise<void>;
  /** Waits until what other tabs have shown so far has been received. */
  sync(): Promise<void>;
  /** Sends it to the other tabs. */
  broadcast(session: Session): void;
  /** Lets `catchUp` of other tabs see that there is this session; settled when it can be seen. */
  publishVersion(session: Session): Promise<void>;
  close(): void;
}

export interface TabSyncDeps {
  /** Read at each use. What is missing is done without. */
  findLocks: () => Locks | undefined;
  channel: Channel | undefined;
  /** The monotonic clock of this tab. */
  now: () => number;
  current: () => Session;
  receive: (session: Session) => void;
}

/**
 * Messages and locks go separate ways, so whoever gets the lock may not have heard yet what its last holder told. Each
 * signed-in tab therefore holds a shared lock that is named after its session's version: `catchUp` looks at those names,
 * and waits for the message only where there is one to come.
 */
export function createTabSync(
  name: string,
  { findLocks, channel, now, current, receive }: TabSyncDeps,
): TabSync {
  const waiting = new Set<() => void>();
  let isOpen = channel !== undefined;
  let release = () => {};
  if (channel) channel.onmessage = ({ data }: MessageEvent<Session | null>) => onMessage(data);

  function onMessage(message: Session | null): void {
    if (message === null) broadcast(current());
    else receive(shiftClock(message, now()));
    for (const check of waiting) check();
  }

  function broadcast(session: Session): void {
    if (isOpen) channel?.postMessage(shiftClock(session, -now()));
  }

  function waitForVersion(version: Version): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (isOpen && isNewer(version, current())) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(check);
        resolve();
      }, REPLY_TIMEOUT_MS);
      waiting.add(check);
      channel?.postMessage(null); // asks
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
      const releaseLast = release;
      const locks = findLocks();
      const ended = new Promise<void>((resolve) => {
        release = resolve;
      });
      return new Promise((shown) => {
        const settle = () => {
          releaseLast();
          shown();
        };
        if (!locks || !tokens || !isOpen) return settle();
        const hold = () => {
          settle();
          return ended;
        };
        locks.request(`${name}:${epoch}:${id}:${step}`, { mode: 'shared' }, hold).catch(settle);
      });
    },
    close() {
      isOpen = false;
      release();
      channel?.close();
      for (const check of waiting) check();
    },
  };
}

function parseVersion(name: string, lock: string | undefined): Version | undefined {
  if (!lock?.startsWith(`${name}:`)) return undefined;
  const [epoch, id = '', step] = lock.slice(name.length + 1).split(':');
  return { epoch: Number(epoch), id, step: Number(step) };
}
