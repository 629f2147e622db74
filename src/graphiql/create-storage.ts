// What GraphiQL keeps in the browser: all but headers, which may have a token.
import type { Storage } from '@graphiql/toolkit';

/** What the history plugin stores with headers, whatever the setting about headers is. */
const HISTORIES = ['graphiql:queries', 'graphiql:favorites'];

/**
 * Local storage for GraphiQL, where headers are dropped from the history, also from what is there already; null where
 * storage is forbidden.
 */
export function createStorage(): Storage | null {
  const local = openLocalStorage();
  if (local === null) return null;
  const ownKeys = () => Object.keys(local).filter((key) => key.startsWith('graphiql:'));
  const setItem = (key: string, value: string) =>
    local.setItem(key, HISTORIES.includes(key) ? dropHeaders(value) : value);
  for (const key of HISTORIES) {
    const stored = local.getItem(key);
    if (stored === null) continue;
    local.removeItem(key);
    try {
      setItem(key, stored);
    } catch {} // what cannot be read is not kept
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

/** @throws SyntaxError where the text is not JSON */
function dropHeaders(history: string): string {
  return JSON.stringify(JSON.parse(history), (key, value) => (key === 'headers' ? undefined : value));
}

function openLocalStorage(): typeof localStorage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
