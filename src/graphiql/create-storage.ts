// What GraphiQL keeps in the browser: the layout, and the texts of the editors without what may be a secret.
import type { Storage } from '@graphiql/toolkit';
import { clearOperation, clearVariables } from './stored-text.ts';

const PREFIX = 'graphiql:';
/** Kept as they are: the layout, and which panel is open. What is in no list here is not kept. */
const LAYOUT = /^graphiql:(theme|visiblePlugin|shouldPersistHeaders|\w+Flex|\w*[sS]ize)$/;
const TABS = 'graphiql:tabState';
const HISTORIES = ['graphiql:queries', 'graphiql:favorites'];

/**
 * Local storage for GraphiQL, without values, comments and headers, also of what an earlier version has stored; null if
 * storage is forbidden.
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
    local.removeItem(key); // also if the storage is full, and nothing can be written
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

/** @returns undefined if nothing of it is kept */
function clearItem(key: string, value: string, before: string | null): string | undefined {
  if (LAYOUT.test(key)) return value;
  if (key !== TABS && !HISTORIES.includes(key)) return undefined;
  try {
    const cleared = JSON.parse(value, clearProperty);
    if (key === TABS) keepReadable(cleared.tabs, JSON.parse(before ?? 'null')?.tabs ?? []);
    else dropRepeated(cleared[key.slice(PREFIX.length)]);
    return JSON.stringify(cleared);
  } catch {
    return undefined; // not as GraphiQL writes it
  }
}

/** Of a tab, or of an entry of the history. A label is what the user calls an entry. */
const CLEAR: Readonly<Record<string, (text: string) => string | null>> = {
  query: clearOperation,
  variables: clearVariables,
  headers: () => null,
  response: () => null,
  hash: () => null,
};

function clearProperty(name: string, value: unknown): unknown {
  if (typeof value === 'string' && Object.hasOwn(CLEAR, name)) return CLEAR[name]?.(value);
  return isEntry(value) ? withoutOtherNames(value) : value;
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

/** GraphiQL looks for names in unparsed text, also in strings and comments. */
function withoutOtherNames(entry: Entry): Entry {
  const isKept = (name: string | null | undefined) => Boolean(name && entry.query?.includes(name));
  if (typeof entry.title === 'string' && !isKept(entry.title)) entry.title = '<untitled>';
  if (typeof entry.operationName === 'string' && !isKept(entry.operationName)) entry.operationName = null;
  return entry;
}

/** A text that cannot be parsed, as while it is written, leaves the last one that could. */
function keepReadable(tabs: Entry[], before: readonly Entry[]): void {
  for (const tab of tabs) {
    const old = before.find(({ id }) => id === tab.id);
    if (tab.query === '' && old?.query) tab.query = old.query;
    if (tab.variables === '' && old?.variables) tab.variables = old.variables;
  }
}

/** Operations that differ in their values alone are one entry. */
function dropRepeated(items: unknown): void {
  if (!Array.isArray(items)) return;
  for (let index = items.length - 1; index > 0; index -= 1) {
    const [before, item] = [items[index - 1], items[index]].map((one) => JSON.stringify(one));
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
