// What of an application's types and resolvers takes the place of something of Bandha's.
import {
  type DefinitionNode,
  type DirectiveDefinitionNode,
  type DocumentNode,
  Kind,
  print,
  visit,
} from 'graphql';
import { baseTypeDefs } from './base-schema.ts';

/** The words of SDL. An extension defines nothing. */
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
  members: ReadonlySet<string>;
}

const bandhas = new Map(
  baseTypeDefs.definitions.map((node): [string, Definition] => [
    keyOf(node),
    { title: titleOf(node), node, members: new Set(membersOf(node).map(({ name }) => name.value)) },
  ]),
);

/**
 * Finds definitions with a name of Bandha's, and fields that Bandha's types have already. `type Query` is read as
 * `extend type Query`; so are the other root types. Bandha's own directives may be repeated as they are.
 * @returns a sentence for each, naming both definitions
 */
export function findDefinitionClashes(documents: readonly DocumentNode[]): string[] {
  return documents.flatMap(({ definitions }) =>
    definitions.flatMap((node) => {
      if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION) {
        return (node.operationTypes ?? [])
          .filter(({ operation, type }) => type.name.value !== ROOTS[operation])
          .map(({ operation, loc }) => {
            const place = placeOf({ loc: loc ?? node.loc });
            return `schema ${place}: Bandha defines ${operation} as ${ROOTS[operation]}; use "extend type ${ROOTS[operation]}"`;
          });
      }
      const own = bandhas.get(keyOf(node));
      if (own === undefined || isSameDirective(node, own.node)) return [];
      const isRoot = Object.values(ROOTS).includes(keyOf(node)) && node.kind === Kind.OBJECT_TYPE_DEFINITION;
      if (KEYWORDS[node.kind] !== undefined && !isRoot) {
        return [`${titleOf(node)} ${placeOf(node)}: Bandha defines ${own.title}; ${adviceFor(own.node)}`];
      }
      return membersOf(node)
        .filter(({ name }) => own.members.has(name.value))
        .map((member) => {
          const coordinate = `${keyOf(node)}.${member.name.value}`;
          return `${coordinate} ${placeOf(member)}: Bandha defines ${coordinate}; give it another name`;
        });
    }),
  );
}

/** @returns a sentence for each resolver of something that Bandha resolves: taking it over would leave out its checks */
export function findResolverClashes(resolvers: unknown): string[] {
  return [resolvers ?? []].flat(Infinity).flatMap((map) =>
    Object.entries(Object(map)).flatMap(([typeName, fields]) => {
      const own = bandhas.get(typeName);
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

/** The name, with `@` for a directive. */
function keyOf(node: DefinitionNode): string {
  const name = 'name' in node ? (node.name?.value ?? '') : '';
  return node.kind === Kind.DIRECTIVE_DEFINITION ? `@${name}` : name;
}

function titleOf(node: DefinitionNode): string {
  return `${KEYWORDS[node.kind]} ${keyOf(node)}`;
}

function membersOf(node: DefinitionNode) {
  if ('fields' in node) return node.fields ?? [];
  return 'values' in node ? (node.values ?? []) : [];
}

function placeOf({ loc }: Pick<DefinitionNode, 'loc'>): string {
  return loc === undefined ? '(typeDefs)' : `(typeDefs, line ${loc.startToken.line})`;
}

function adviceFor({ kind, ...node }: DefinitionNode): string {
  const isExtensible = kind !== Kind.SCALAR_TYPE_DEFINITION && kind !== Kind.DIRECTIVE_DEFINITION;
  const name = 'name' in node ? node.name?.value : '';
  return isExtensible
    ? `rename it, or use "extend ${KEYWORDS[kind]} ${name}"`
    : "rename it, or leave it out and use Bandha's";
}

function isSameDirective(node: DefinitionNode, own: DefinitionNode): boolean {
  if (node.kind !== Kind.DIRECTIVE_DEFINITION || own.kind !== Kind.DIRECTIVE_DEFINITION) return false;
  return printPlain(node) === printPlain(own);
}

function printPlain(node: DirectiveDefinitionNode): string {
  return print(
    visit(node, {
      enter: (one) => ('description' in one ? { ...one, description: undefined } : undefined),
    }),
  );
}
