// Finds types and resolvers of an application that clash with Bandha's.
import {
  type DefinitionNode,
  type DirectiveDefinitionNode,
  type DocumentNode,
  Kind,
  print,
  visit,
} from 'graphql';

/** The SDL keyword of each kind of definition. Extensions define nothing, so they have none. */
const KEYWORDS: Partial<Record<Kind, string>> = {
  [Kind.OBJECT_TYPE_DEFINITION]: 'type',
  [Kind.INTERFACE_TYPE_DEFINITION]: 'interface',
  [Kind.UNION_TYPE_DEFINITION]: 'union',
  [Kind.ENUM_TYPE_DEFINITION]: 'enum',
  [Kind.INPUT_OBJECT_TYPE_DEFINITION]: 'input',
  [Kind.SCALAR_TYPE_DEFINITION]: 'scalar',
  [Kind.DIRECTIVE_DEFINITION]: 'directive',
};
const ROOTS: Readonly<Record<string, string>> = {
  query: 'Query',
  mutation: 'Mutation',
  subscription: 'Subscription',
};

interface Definition {
  /** Such as `type Session`. */
  title: string;
  node: DefinitionNode;
  /** Names of its fields or values. */
  members: ReadonlySet<string>;
}

/**
 * Finds definitions whose name Bandha defines, and fields that Bandha's types have. `type Query` is read as `extend type Query`,
 * and so are the other root types. Bandha's own directives may be repeated unchanged.
 *
 * @param base Bandha's schema
 * @returns a sentence for each, naming both definitions
 */
export function findDefinitionClashes(documents: readonly DocumentNode[], base: DocumentNode): string[] {
  const definitionsOfBandha = indexDefinitions(base);
  return documents.flatMap(({ definitions }) =>
    definitions.flatMap((node) => {
      if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION) {
        return (node.operationTypes ?? [])
          .filter(({ operation, type }) => type.name.value !== ROOTS[operation])
          .map(({ operation, loc }) => {
            const location = formatLocation({ loc: loc ?? node.loc });
            return `schema ${location}: Bandha defines ${operation} as ${ROOTS[operation]}; use "extend type ${ROOTS[operation]}"`;
          });
      }
      const own = definitionsOfBandha.get(toKey(node));
      if (own === undefined || isSameDirective(node, own.node)) return [];
      const isRoot = Object.values(ROOTS).includes(toKey(node)) && node.kind === Kind.OBJECT_TYPE_DEFINITION;
      if (KEYWORDS[node.kind] !== undefined && !isRoot) {
        return [
          `${toTitle(node)} ${formatLocation(node)}: Bandha defines ${own.title}; ${formatAdvice(own.node)}`,
        ];
      }
      return getMembers(node)
        .filter(({ name }) => own.members.has(name.value))
        .map((member) => {
          const coordinate = `${toKey(node)}.${member.name.value}`;
          return `${coordinate} ${formatLocation(member)}: Bandha defines ${coordinate}; give it another name`;
        });
    }),
  );
}

/**
 * Finds resolvers of fields that Bandha resolves. Replacing one would remove its checks.
 *
 * @param base Bandha's schema
 * @returns a sentence for each
 */
export function findResolverClashes(resolvers: unknown, base: DocumentNode): string[] {
  const definitionsOfBandha = indexDefinitions(base);
  return [resolvers ?? []].flat(Infinity).flatMap((map) =>
    Object.entries(Object(map)).flatMap(([typeName, fields]) => {
      const own = definitionsOfBandha.get(typeName);
      if (own === undefined) return [];
      if (own.node.kind === Kind.SCALAR_TYPE_DEFINITION || own.node.kind === Kind.ENUM_TYPE_DEFINITION) {
        return [
          `resolvers.${typeName}: Bandha resolves this ${KEYWORDS[own.node.kind]}; define one of your own`,
        ];
      }
      return Object.keys(Object(fields))
        .filter((name) => own.members.has(name))
        .map((name) => `resolvers.${typeName}.${name}: Bandha resolves this field; define one of your own`);
    }),
  );
}

function indexDefinitions({ definitions }: DocumentNode): ReadonlyMap<string, Definition> {
  return new Map(
    definitions.map((node) => [
      toKey(node),
      { title: toTitle(node), node, members: new Set(getMembers(node).map(({ name }) => name.value)) },
    ]),
  );
}

/** @returns the name, with `@` for a directive */
function toKey(node: DefinitionNode): string {
  const name = 'name' in node ? (node.name?.value ?? '') : '';
  return node.kind === Kind.DIRECTIVE_DEFINITION ? `@${name}` : name;
}

function toTitle(node: DefinitionNode): string {
  return `${KEYWORDS[node.kind]} ${toKey(node)}`;
}

function getMembers(node: DefinitionNode) {
  if ('fields' in node) return node.fields ?? [];
  return 'values' in node ? (node.values ?? []) : [];
}

function formatLocation({ loc }: Pick<DefinitionNode, 'loc'>): string {
  return loc === undefined ? '(typeDefs)' : `(typeDefs, line ${loc.startToken.line})`;
}

function formatAdvice({ kind, ...node }: DefinitionNode): string {
  const isExtensible = kind !== Kind.SCALAR_TYPE_DEFINITION && kind !== Kind.DIRECTIVE_DEFINITION;
  const name = 'name' in node ? node.name?.value : '';
  return isExtensible
    ? `rename it, or use "extend ${KEYWORDS[kind]} ${name}"`
    : "rename it, or leave it out and use Bandha's";
}

function isSameDirective(node: DefinitionNode, own: DefinitionNode): boolean {
  if (node.kind !== Kind.DIRECTIVE_DEFINITION || own.kind !== Kind.DIRECTIVE_DEFINITION) return false;
  return printWithoutDescriptions(node) === printWithoutDescriptions(own);
}

function printWithoutDescriptions(node: DirectiveDefinitionNode): string {
  return print(
    visit(node, {
      enter: (one) => ('description' in one ? { ...one, description: undefined } : undefined),
    }),
  );
}
