// Whether a Yoga server does something for each request that the lane would leave out.
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';

/** The hooks that run for a request on its way through Yoga, and those that change which others there are. */
const REQUEST_HOOKS = [
  'onPluginInit',
  'onSchemaChange',
  'onRequest',
  'onRequestParse',
  'onParams',
  'onEnveloped',
  'onParse',
  'onValidate',
  'onContextBuilding',
  'onExecute',
  'onExecutionResult',
  'onResultProcess',
  'onResponse',
  'instrumentation',
] as const;

/** A Yoga server, whatever its context. */
// biome-ignore lint/suspicious/noExplicitAny: the context is the application's
export type AnyYoga = YogaServerInstance<any, any>;

/**
 * Compares the server's hooks, by their source text and how often it is there, with those of a server that has Bandha's
 * plugins alone; and looks whether Bandha's plugins are these very ones.
 * @returns the names of the hooks that are somebody else's: of plugins, or of options such as `context`
 */
export function detectUnsupportedHooks(yoga: AnyYoga, bandhaPlugins: readonly Plugin[]): string[] {
  const schema = yoga.getEnveloped({}).schema;
  const remaining = new Map<string, number>();
  for (const { text } of hooksOf(createYoga({ schema, plugins: [...bandhaPlugins], logging: false }))) {
    remaining.set(text, (remaining.get(text) ?? 0) + 1);
  }
  const unsupported = hooksOf(yoga).filter(({ text }) => {
    const count = remaining.get(text) ?? 0;
    remaining.set(text, count - 1);
    return count <= 0;
  });
  const replaced = bandhaPlugins.filter((plugin) => !pluginsOf(yoga).includes(plugin)).flatMap(Object.keys);
  return [...new Set([...unsupported.map(({ name }) => name), ...replaced])];
}

function pluginsOf(yoga: AnyYoga): readonly object[] {
  return (yoga as unknown as { plugins: readonly object[] }).plugins; // there, though not in the types
}

function hooksOf(yoga: AnyYoga): { name: string; text: string }[] {
  const plugins = pluginsOf(yoga) as readonly Record<string, unknown>[];
  return plugins.flatMap((plugin) =>
    REQUEST_HOOKS.flatMap((name) => {
      const hook = plugin?.[name];
      return hook === undefined ? [] : [{ name, text: String(hook) }];
    }),
  );
}

// Finds Yoga's own cache of documents among the plugins of a server: it has neither a name nor a size limit.

type IsDocumentCache = (plugin: Plugin) => boolean;

/**
 * Compares two Yoga servers, one of them without the cache: the plugin that only the other one has is the cache.
 * @returns a predicate for the plugins of other servers; undefined if this version of Yoga has no such plugin
 */
export function findYogaDocumentCache(): IsDocumentCache | undefined {
  const textsWithoutCache = new Set(parseHooksOf({ parserAndValidationCache: false }));
  const texts = parseHooksOf({}).filter((text) => !textsWithoutCache.has(text));
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
