// Finds JavaScript features that the oldest browsers supported by `bandha/client` lack, using MDN's compatibility data.
import { createRequire } from 'node:module';
import { parseAst } from 'vite';

/** The versions named in docs/guide/clients.md: the default target of Vite 5 and 6. Later Vite versions and webpack target newer ones. */
export const OLDEST = { chrome: 87, edge: 88, firefox: 78, safari: 14 } as const;

interface Support {
  version_added: string | false | null;
  version_removed?: string;
  flags?: unknown;
}
interface Feature {
  __compat?: { support: Record<string, Support | Support[]> };
}
type Features = Record<string, Feature & Record<string, Feature>>;

// A JSON file; only the part that is read here has types.
const data: { javascript: { builtins: Features }; api: Features } = createRequire(import.meta.url)(
  '@mdn/browser-compat-data',
);

function isTooNew(feature: Feature): boolean {
  const support = feature.__compat?.support;
  if (support === undefined) return false;
  return Object.entries(OLDEST).some(([browser, oldest]) => {
    const added = [support[browser] ?? []]
      .flat()
      .filter(({ flags, version_removed }) => !flags && !version_removed)
      .map(({ version_added }) =>
        version_added ? Number.parseFloat(version_added.replace('≤', '')) : Infinity,
      );
    return Math.min(Infinity, ...added) > oldest;
  });
}

/** Web interfaces whose members are found by name alone, like those of JavaScript's built-ins. Other interfaces share names with ordinary objects. */
const INTERFACES =
  /^(Abort(Signal|Controller)|BroadcastChannel|Crypto|Document|Event(Target)?|FormData|Headers|MessageEvent|Navigator|Performance|ReadableStream|Request|Response|Storage|SubtleCrypto|URL(SearchParams)?|Window)$/;

export interface Missing {
  /** Names such as `BroadcastChannel` and `structuredClone`. */
  globals: Set<string>;
  /** Names of members that no interface has, such as `replaceAll`. */
  members: Set<string>;
  /** Members with their interface: `String.replaceAll`, `Promise.withResolvers`. */
  owned: Set<string>;
}

/** Lists the features that at least one of the oldest browsers lacks. */
export function findMissing(): Missing {
  const missing: Missing = { globals: new Set(), members: new Set(), owned: new Set() };
  const available = new Set<string>();
  for (const group of [data.javascript.builtins, data.api]) {
    for (const [owner, feature] of Object.entries(group)) {
      if (isTooNew(feature)) missing.globals.add(owner);
      for (const [key, member] of Object.entries(feature)) {
        if (key === '__compat' || key === owner || /^@@|_event$/.test(key)) continue;
        const name = key.replace(/_static$/, '');
        const isMissing = isTooNew(member) || isTooNew(feature);
        if (isMissing) missing.owned.add(`${owner}.${name}`);
        if (group === data.api && !INTERFACES.test(owner)) continue;
        if (isMissing) missing.members.add(name);
        else available.add(name);
      }
    }
  }
  for (const name of available) missing.members.delete(name);
  return missing;
}

const NEW_ASSIGNMENTS = ['??=', '||=', '&&='];

/** The properties of ESTree nodes that are read here. */
interface Node {
  type: string;
  name?: string;
  value?: unknown;
  object?: Node;
  property?: Node;
  key?: Node;
  computed?: boolean;
  static?: boolean;
  operator?: string;
  kind?: string;
  regex?: { pattern: string; flags: string };
}

/** Lists names and syntax in a module that at least one of the oldest browsers lacks. */
export function findTooNew(code: string, missing = findMissing()): string[] {
  const found = new Set<string>();
  const imported = new Set(
    [...code.matchAll(/^import \{(.*)\} from/gm)].flatMap(([, names = '']) => names.split(/[\s,]+/)),
  );
  visit(parseAst(code), false);
  return [...found].sort();

  function visit(value: unknown, isInFunction: boolean): void {
    if (Array.isArray(value)) for (const item of value) visit(item, isInFunction);
    if (typeof value !== 'object' || value === null || !('type' in value)) return;
    const node = value as Node; // an ESTree node, since it has a type
    const isFunction = isInFunction || /Function|MethodDefinition|PropertyDefinition/.test(node.type);
    check(node, isInFunction);
    // A key, or the name after a dot, is not a reference to a variable.
    const { key, property, computed, ...others } = node;
    for (const child of Object.values(computed ? node : others)) visit(child, isFunction);
  }

  function check(node: Node, isInFunction: boolean): void {
    const { type, object, property, regex, operator = '', kind = '', name = '' } = node;
    if (type === 'MemberExpression') {
      const member = node.computed ? property?.value : property?.name;
      const qualified = `${object?.name ?? object?.property?.name}.${member}`;
      if (missing.owned.has(qualified)) found.add(qualified);
      else if (typeof member === 'string' && missing.members.has(member)) found.add(`.${member}`);
    }
    if (type === 'PropertyDefinition' && node.static) found.add('static class field');
    if (type === 'Identifier' && missing.globals.has(name) && !imported.has(name)) found.add(name);
    if (type === 'AssignmentExpression' && NEW_ASSIGNMENTS.includes(operator)) found.add(operator);
    if (type === 'VariableDeclaration' && /using/.test(kind)) found.add(kind);
    if (type === 'StaticBlock' || type === 'PrivateIdentifier') found.add(type);
    if (node.key?.type === 'PrivateIdentifier') found.add('PrivateIdentifier');
    if (type === 'AwaitExpression' && !isInFunction) found.add('await outside of a function');
    if (regex && (/[dv]/.test(regex.flags) || /\(\?<[=!]/.test(regex.pattern)))
      found.add(`/${regex.pattern}/`);
  }
}
