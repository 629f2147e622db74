// Caches values by text, bounded by the bytes that they retain. Texts used once cannot evict texts used twice, so that a client
// that sends a new text with every request evicts only such texts.
import { LRUCache } from 'lru-cache';

export interface SeenCacheOptions {
  /** Maximum total bytes of entries used once. */
  maxBytesSeenOnce: number;
  /** Maximum total bytes of entries used again. */
  maxBytesSeenTwice: number;
}

export interface SeenCache<V extends object> {
  /** Finds a value, and counts as a use. */
  get(text: string): V | undefined;
  /** Whether the cache has an entry. Does not count as a use. */
  has(text: string): boolean;
  /**
   * Adds or replaces an entry. A value larger than the cache is not stored, but the previous entry of its text is removed.
   * @param bytes total bytes that the value retains, the text excluded
   * @param uses 0 if the same request reads the entry again
   */
  set(text: string, value: V, bytes: number, uses?: 0 | 1): void;
  /** Sets the bytes of a value that has grown. Does nothing if the value is not in the cache. */
  resize(text: string, value: V, bytes: number): void;
  /** Total bytes of all entries. */
  readonly bytes: number;
}

/** Upper bounds: two bytes per character, and about 200 for the key, the entry and the cache's lists. */
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
        segment.delete(text); // lru-cache keeps the old size if the value is equal
        segment.set(text, entry, { size: entry.size });
      }
    },
    get bytes() {
      return seenOnce.calculatedSize + seenTwice.calculatedSize;
    },
  };
}
