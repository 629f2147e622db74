// A cache by text, bounded by the bytes that its values retain. Texts used once cannot evict texts used twice: a client that
// sends a new text with every request replaces its own entries alone.
import { LRUCache } from 'lru-cache';

export interface SeenCacheOptions {
  /** Bytes of all values that were used once. */
  maxBytesSeenOnce: number;
  /** Bytes of all values that were used again. */
  maxBytesSeenTwice: number;
}

export interface SeenCache<V extends object> {
  /** Counts as a use. */
  get(text: string): V | undefined;
  /** Does not count as a use. */
  has(text: string): boolean;
  /**
   * A value that does not fit is not kept, and what was kept under its text is dropped.
   * @param bytes everything that the value retains, the text excluded
   * @param uses 0 if whoever sets it looks it up again for the same request
   */
  set(text: string, value: V, bytes: number, uses?: 0 | 1): void;
  /** Replaces the bytes of a value that has grown; without effect on a value that is not kept. */
  resize(text: string, value: V, bytes: number): void;
  /** Bytes of everything that is kept. */
  readonly bytes: number;
}

/** Characters take two bytes at most; a key of the map, the value's entry and the lists of the cache some 200. */
const BYTES_PER_CHARACTER = 2;
const ENTRY_BYTES = 200;

interface Entry<V> {
  value: V;
  uses: number;
  size: number;
}

export function createSeenCache<V extends object>(options: SeenCacheOptions): SeenCache<V> {
  const seenOnce = new LRUCache<string, Entry<V>>({ maxSize: options.maxBytesSeenOnce });
  const seenTwice = new LRUCache<string, Entry<V>>({ maxSize: options.maxBytesSeenTwice });
  const sizeOf = (text: string, bytes: number) =>
    Math.ceil(ENTRY_BYTES + BYTES_PER_CHARACTER * text.length + bytes);

  return {
    get(text) {
      const seenAgain = seenTwice.get(text);
      if (seenAgain !== undefined) return seenAgain.value;
      const entry = seenOnce.get(text);
      if (entry === undefined) return undefined;
      entry.uses += 1;
      if (entry.uses >= 2) {
        seenOnce.delete(text);
        seenTwice.set(text, entry, { size: entry.size });
      }
      return entry.value;
    },
    has: (text) => seenTwice.has(text) || seenOnce.has(text),
    set(text, value, bytes, uses = 1) {
      const size = sizeOf(text, bytes);
      seenTwice.delete(text);
      seenOnce.set(text, { value, uses, size }, { size });
    },
    resize(text, value, bytes) {
      for (const segment of [seenOnce, seenTwice]) {
        const entry = segment.peek(text);
        if (entry?.value !== value) continue;
        entry.size = sizeOf(text, bytes);
        segment.delete(text); // lru-cache keeps the size of an equal value
        segment.set(text, entry, { size: entry.size });
      }
    },
    get bytes() {
      return seenOnce.calculatedSize + seenTwice.calculatedSize;
    },
  };
}
