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

// biome-ignore lint/suspicious/noExplicitAny: whatever context the app's server has
export type AnyYoga = YogaServerInstance<any, any>;

/**
 * Compares the server's hooks, by their source text and how often it is there, with those of a server that has Bandha's
 * plugins alone; and looks whether Bandha's plugins are these very ones.
 * @returns the names of the hooks that are somebody else's: of plugins, or of options such as `context`
 */
export function findForeignHooks(yoga: AnyYoga, ours: readonly Plugin[]): string[] {
  const schema = yoga.getEnveloped({}).schema;
  const left = new Map<string, number>();
  for (const { text } of hooksOf(createYoga({ schema, plugins: [...ours], logging: false }))) {
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  const foreign = hooksOf(yoga).filter(({ text }) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
  const replaced = ours.filter((plugin) => !pluginsOf(yoga).includes(plugin)).flatMap(Object.keys);
  return [...new Set([...foreign.map(({ name }) => name), ...replaced])];
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
