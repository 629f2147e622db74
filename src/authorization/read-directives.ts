// The directives on a schema element: from SDL, from `extend type` and from `extensions.directives`.
import {
  type ASTNode,
  type DirectiveNode,
  type GraphQLSchema,
  getArgumentValues,
  isInterfaceType,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

/** One application of a directive. */
export interface AppliedDirective {
  name: string;
  args: Record<string, unknown>;
}

/** What a schema, a type, a field, an argument and an enum value have in common. */
export interface DirectiveHolder {
  name?: string;
  extensions: Readonly<Record<string, unknown>>;
  astNode?: NodeWithDirectives | null | undefined;
  extensionASTNodes?: readonly NodeWithDirectives[];
}

export type NodeWithDirectives = ASTNode & { readonly directives?: readonly DirectiveNode[] | undefined };

/**
 * Reads the nodes one by one: `getDirectives` of @graphql-tools would be enough for one definition, but each definition has
 * a rule of its own.
 * @param parent the type of a field: a field that is defined in a type and again in its extension has one node in each
 */
export function readDirectives(
  schema: GraphQLSchema,
  element: DirectiveHolder,
  parent?: unknown,
): AppliedDirective[] {
  const nodes = nodesOf(element, parent);
  return [
    ...readExtensions(element.extensions.directives),
    ...nodes.flatMap(({ directives = [] }) => directives.map((node) => readNode(schema, node))),
  ];
}

/** Every node that defines or extends an element. */
export function nodesOf(
  element: Omit<DirectiveHolder, 'extensions'>,
  parent?: unknown,
): NodeWithDirectives[] {
  const nodes = [element.astNode, ...(element.extensionASTNodes ?? []), ...fieldNodes(parent, element.name)];
  return [...new Set(nodes.filter((node) => node != null))];
}

/** `extensions.directives` is an object by name, or a list of `{ name, args }`. */
function readExtensions(directives: unknown): AppliedDirective[] {
  if (Array.isArray(directives)) {
    return directives.map(({ name, args }) => ({ name: String(name), args: toArguments(args) }));
  }
  return Object.entries(directives ?? {}).flatMap(([name, applied]: [string, unknown]) =>
    [applied].flat().map((args) => ({ name, args: toArguments(args) })),
  );
}

function toArguments(args: unknown): Record<string, unknown> {
  return typeof args === 'object' && args !== null ? { ...args } : {};
}

function readNode(schema: GraphQLSchema, node: DirectiveNode): AppliedDirective {
  const name = node.name.value;
  const definition = schema.getDirective(name);
  const written = Object.fromEntries(
    (node.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
  let coerced = {};
  try {
    coerced = definition ? getArgumentValues(definition, node) : {};
  } catch {
    // The definition does not fit, as in SDL that no one has validated; the arguments as written are checked.
  }
  const given = Object.entries(coerced).filter(([, value]) => value != null);
  return { name, args: { ...written, ...Object.fromEntries(given) } };
}

function fieldNodes(parent: unknown, fieldName: string | undefined): NodeWithDirectives[] {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return [];
  return [parent.astNode, ...parent.extensionASTNodes].flatMap(
    (node) => node?.fields?.filter(({ name }) => name.value === fieldName) ?? [],
  );
}
