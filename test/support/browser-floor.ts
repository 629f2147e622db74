// The oldest browsers that `bandha/client` supports, and what JavaScript they do not have yet, by MDN's compatibility data.
import { createRequire } from 'node:module';
import { parseAst } from 'vite';

/** As the README names them. Vite 5's and 6's default target; later defaults, and webpack's, are newer. */
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

// JSON, whose own types are larger than what is read of it here.
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

/** Interfaces whose members are looked up by name alone; JavaScript's own are too. Others share names with plain objects. */
const INTERFACES =
  /^(Abort(Signal|Controller)|BroadcastChannel|Crypto|Document|Event(Target)?|FormData|Headers|MessageEvent|Navigator|Performance|ReadableStream|Request|Response|Storage|SubtleCrypto|URL(SearchParams)?|Window)$/;

export interface Missing {
  /** Such as `BroadcastChannel`, `structuredClone`. */
  globals: Set<string>;
  /** Names of members that no interface had yet, such as `replaceAll`. */
  members: Set<string>;
  /** With the interface: `String.replaceAll`, `Promise.withResolvers`. */
  owned: Set<string>;
}

/** What at least one of the oldest browsers does not have. */
export function findMissing(): Missing {
  const missing: Missing = { globals: new Set(), members: new Set(), owned: new Set() };
  const known = new Set<string>();
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
        else known.add(name);
      }
    }
  }
  for (const name of known) missing.members.delete(name);
  return missing;
}

const NEW_ASSIGNMENTS = ['??=', '||=', '&&='];

/** The parts of ESTree's nodes that are read here. */
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

/** Names and syntax in a module that at least one of the oldest browsers does not have. */
export function findTooNew(code: string, missing = findMissing()): string[] {
  const found = new Set<string>();
  const imported = new Set(
    [...code.matchAll(/^import \{(.*)\} from/gm)].flatMap(([, names = '']) => names.split(/[\s,]+/)),
  );
  visit(parseAst(code), false);
  return [...found].sort();

  function visit(value: unknown, isInFunction: boolean): void {
    if (Array.isArray(value)) for (const one of value) visit(one, isInFunction);
    if (typeof value !== 'object' || value === null || !('type' in value)) return;
    const node = value as Node; // of ESTree
    const isFunction = isInFunction || /Function|MethodDefinition|PropertyDefinition/.test(node.type);
    note(node, isInFunction);
    // A key, or the name behind a dot, stands for itself.
    const { key, property, computed, ...others } = node;
    for (const child of Object.values(computed ? node : others)) visit(child, isFunction);
  }

  function note(node: Node, isInFunction: boolean): void {
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
