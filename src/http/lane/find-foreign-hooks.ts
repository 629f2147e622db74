// Whether a Yoga server does something for each request that the lane would leave out.
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';

/** The hooks that run for a request on its way through Yoga. */
const REQUEST_HOOKS = [
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
 * Compares the server's hooks, by their source text, with those of a server that has Bandha's plugins alone.
 * @returns the names of the hooks that are somebody else's: of plugins, or of options such as `context`
 */
export function findForeignHooks(yoga: AnyYoga, ours: readonly Plugin[]): string[] {
  const known = new Set(hooksOf(createYoga({ plugins: [...ours], logging: false })).map(({ text }) => text));
  const foreign = hooksOf(yoga).filter(({ text }) => !known.has(text));
  return [...new Set(foreign.map(({ name }) => name))];
}

function hooksOf(yoga: AnyYoga): { name: string; text: string }[] {
  const { plugins } = yoga as unknown as { plugins: readonly Record<string, unknown>[] }; // there, though not in the types
  return plugins.flatMap((plugin) =>
    REQUEST_HOOKS.flatMap((name) => {
      const hook = plugin?.[name];
      return hook === undefined ? [] : [{ name, text: String(hook) }];
    }),
  );
}
