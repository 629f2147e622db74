// Estimates an upper bound for the memory that a verified token retains, from its text and its claims.
import type { Principal } from './principal.ts';

/** The principal with its sets and functions, and the cache entry. */
const PRINCIPAL_BYTES = 500;
const SET_ENTRY_BYTES = 60;
const STRING_BYTES = 24;
const NUMBER_BYTES = 16;
const OBJECT_BYTES = 80;
const PROPERTY_BYTES = 16;
/** V8 stores objects with more keys as hash tables, each with its own key strings. */
const MAX_SHARED_KEYS = 20;
const TABLE_ENTRY_BYTES = 80;
const LIST_BYTES = 56;
const ITEM_BYTES = 8;

/** @param token ASCII only, one byte a character */
export function estimateTokenBytes(token: string, { claims, roles, scopes }: Principal): number {
  const sets = SET_ENTRY_BYTES * (roles.size + scopes.size);
  // Each scope is a separate string, in addition to the claim `scope`.
  const scopeTexts = [...scopes].reduce((sum, scope) => sum + STRING_BYTES + scope.length, 0);
  return PRINCIPAL_BYTES + token.length + sets + scopeTexts + estimateJsonBytes(claims);
}

function estimateJsonBytes(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + 2 * value.length;
  if (typeof value === 'number') return NUMBER_BYTES;
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, item) => sum + ITEM_BYTES + estimateJsonBytes(item), LIST_BYTES);
  }
  const entries = Object.entries(value);
  const isTable = entries.length > MAX_SHARED_KEYS;
  return entries.reduce(
    (sum, [key, item]) =>
      sum + (isTable ? TABLE_ENTRY_BYTES + key.length : PROPERTY_BYTES) + estimateJsonBytes(item),
    OBJECT_BYTES,
  );
}
