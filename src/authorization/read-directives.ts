// Reads the directives of a schema element, of any name: from SDL, `extend type` and `extensions.directives`.
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

/** The common members of a schema, a type, a field, an argument and an enum value. */
export interface DirectiveHolder {
  name?: string;
  extensions: Readonly<Record<string, unknown>>;
  astNode?: NodeWithDirectives | null | undefined;
  extensionASTNodes?: readonly NodeWithDirectives[];
}

export type NodeWithDirectives = ASTNode & { readonly directives?: readonly DirectiveNode[] | undefined };

/**
 * Reads the directives of every definition and extension of an element: each can have a rule, and all must hold. `getDirectives`
 * of @graphql-tools merges them.
 *
 * @param parent the type that has the field, if the element is a field: its extensions may define the field again
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

/** @returns every node that defines or extends an element */
export function nodesOf(
  element: Omit<DirectiveHolder, 'extensions'>,
  parent?: unknown,
): NodeWithDirectives[] {
  const nodes = [element.astNode, ...(element.extensionASTNodes ?? []), ...fieldNodes(parent, element.name)];
  return [...new Set(nodes.filter((node) => node != null))];
}

/** Reads `extensions.directives`: an object by name, or a list of `{ name, args }` as Pothos creates it. */
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
  const literal = Object.fromEntries(
    (node.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
  let coerced = {};
  try {
    coerced = definition ? getArgumentValues(definition, node) : {};
  } catch {
    // The arguments do not fit the definition, as in SDL that was not validated. The literal values are validated instead.
  }
  const present = Object.entries(coerced).filter(([, value]) => value != null);
  return { name, args: { ...literal, ...Object.fromEntries(present) } };
}

function fieldNodes(parent: unknown, fieldName: string | undefined): NodeWithDirectives[] {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return [];
  return [parent.astNode, ...parent.extensionASTNodes].flatMap(
    (node) => node?.fields?.filter(({ name }) => name.value === fieldName) ?? [],
  );
}
