// GraphiQL's storage in the browser: the layout, and editor texts without possible secrets.
import type { Storage } from '@graphiql/toolkit';
import { clearOperation, clearVariables } from './stored-text.ts';

const PREFIX = 'graphiql:';
/** Keys stored unchanged: the layout, and the open panel. Keys that are not listed in this file are not stored. */
const LAYOUT = /^graphiql:(theme|visiblePlugin|shouldPersistHeaders|\w+Flex|\w*[sS]ize)$/;
const TABS = 'graphiql:tabState';
const HISTORIES = ['graphiql:queries', 'graphiql:favorites'];

/**
 * Creates a storage for GraphiQL that removes values, comments and headers from editor texts, including texts stored by an earlier
 * version.
 * @returns null if the browser blocks storage
 */
export function createStorage(): Storage | null {
  const local = openLocalStorage();
  if (local === null) return null;
  const ownKeys = () => Object.keys(local).filter((key) => key.startsWith(PREFIX));
  const setItem = (key: string, value: string) => {
    const cleared = clearItem(key, value, local.getItem(key));
    if (cleared === undefined) local.removeItem(key);
    else local.setItem(key, cleared);
  };
  for (const key of ownKeys()) {
    const stored = local.getItem(key) ?? '';
    local.removeItem(key); // first, because writing fails if the storage is full
    try {
      setItem(key, stored);
    } catch {}
  }
  return {
    getItem: (key) => local.getItem(key),
    setItem,
    removeItem: (key) => local.removeItem(key),
    get length() {
      return ownKeys().length;
    },
    clear() {
      for (const key of ownKeys()) local.removeItem(key);
    },
  };
}

/** @returns undefined if the item must not be stored */
function clearItem(key: string, value: string, before: string | null): string | undefined {
  if (LAYOUT.test(key)) return value;
  if (key !== TABS && !HISTORIES.includes(key)) return undefined;
  try {
    const cleared = JSON.parse(value, clearProperty);
    if (key === TABS) restoreUnparsable(cleared.tabs, JSON.parse(before ?? 'null')?.tabs ?? []);
    else dropDuplicates(cleared[key.slice(PREFIX.length)]);
    return JSON.stringify(cleared);
  } catch {
    return undefined; // not written by GraphiQL
  }
}

/** Properties of a tab or history entry to clear. A `label` is not cleared: the user chose it. */
const CLEAR: Readonly<Record<string, (text: string) => string | null>> = {
  query: clearOperation,
  variables: clearVariables,
  headers: () => null,
  response: () => null,
  hash: () => null,
};

function clearProperty(name: string, value: unknown): unknown {
  if (typeof value === 'string' && Object.hasOwn(CLEAR, name)) return CLEAR[name]?.(value);
  return isEntry(value) ? clearNames(value) : value;
}

interface Entry {
  id?: unknown;
  query: string | null;
  variables?: string | null;
  title?: string;
  operationName?: string | null;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'query' in value;
}

/** Removes names that are not in the cleared query: GraphiQL also finds names in strings and comments. */
function clearNames(entry: Entry): Entry {
  const isKept = (name: string | null | undefined) => Boolean(name && entry.query?.includes(name));
  if (typeof entry.title === 'string' && !isKept(entry.title)) entry.title = '<untitled>';
  if (typeof entry.operationName === 'string' && !isKept(entry.operationName)) entry.operationName = null;
  return entry;
}

/** Keeps the last valid text of a tab while its current text is not valid, for example while the user types. */
function restoreUnparsable(tabs: Entry[], before: readonly Entry[]): void {
  for (const tab of tabs) {
    const old = before.find(({ id }) => id === tab.id);
    if (tab.query === '' && old?.query) tab.query = old.query;
    if (tab.variables === '' && old?.variables) tab.variables = old.variables;
  }
}

/** Removes entries that differ only in cleared values. */
function dropDuplicates(items: unknown): void {
  if (!Array.isArray(items)) return;
  for (let index = items.length - 1; index > 0; index -= 1) {
    const [before, item] = [items[index - 1], items[index]].map((entry) => JSON.stringify(entry));
    if (before === item) items.splice(index, 1);
  }
}

function openLocalStorage(): typeof localStorage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
