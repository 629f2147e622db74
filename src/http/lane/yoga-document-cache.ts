// Finds Yoga's own cache of documents among the plugins of a server: it has neither a name nor a size limit.
import { createYoga, type Plugin } from 'graphql-yoga';

type IsDocumentCache = (plugin: Plugin) => boolean;

/**
 * Compares two Yoga servers, one of them without the cache: the plugin that only the other one has is the cache.
 * @returns a predicate for the plugins of other servers; undefined if this version of Yoga has no such plugin
 */
export function findYogaDocumentCache(): IsDocumentCache | undefined {
  const without = new Set(parseHooksOf({ parserAndValidationCache: false }));
  const texts = parseHooksOf({}).filter((text) => !without.has(text));
  if (texts.length === 0) return undefined;
  return ({ onParse }) => onParse !== undefined && texts.includes(String(onParse));
}

/**
 * @param plugins as `onPluginInit` receives them: the plugins behind the caller's are not yet initialized
 * @param replace called for each that matches; its plugin takes the same place
 */
export function replacePlugin(
  plugins: readonly unknown[],
  matches: IsDocumentCache,
  replace: () => Plugin,
): void {
  const list = plugins as Plugin[]; // envelop's own list, which it reads once every plugin is initialized
  for (const [index, plugin] of list.entries()) {
    if (plugin && matches(plugin)) list[index] = replace();
  }
}

function parseHooksOf(options: { parserAndValidationCache?: false }): string[] {
  const { plugins } = createYoga({ ...options, logging: false }) as unknown as { plugins: readonly Plugin[] }; // there, though not in the types
  return plugins.flatMap(({ onParse }) => (onParse === undefined ? [] : [String(onParse)]));
}
