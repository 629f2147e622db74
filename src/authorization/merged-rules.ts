// Two rules of one element of which a merge has left one: @graphql-tools/merge joins the arguments of a directive that stands
// in a type and again in its extension, and the result asks for less than either.
import {
  type ASTNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  type Source,
  type ValueNode,
  visit,
} from 'graphql';
import { type NodeWithDirectives, nodesOf } from './read-directives.ts';

/** Every application of one directive to one element. */
interface WrittenRules {
  /** Such as `Query.secureData`. */
  coordinate: string;
  directives: DirectiveNode[];
}

const MERGED = 'stands here twice: a merge makes one rule of them that asks for less. Write one rule';

/** @returns a sentence for each element that has two different rules by one directive */
export function findRepeatedRules(
  documents: readonly DocumentNode[],
  isRule: (name: string) => boolean,
): string[] {
  const definitions = documents.flatMap((document) => document.definitions);
  return readRules(definitions, isRule)
    .filter(({ directives }) => directives.some((one) => !directives.every((other) => isKept(one, [other]))))
    .map(toIssue);
}

/**
 * Compares a schema with the texts that it was made of, as far as its nodes say where they come from.
 * @returns a sentence for each element that has lost a rule
 */
export function findMergedRules(schema: GraphQLSchema, isRule: (name: string) => boolean): string[] {
  const definitions = sourcesOf(schema).flatMap(parseSource);
  return readRules(definitions, isRule)
    .filter(({ coordinate, directives }) => {
      const nodes = directives.length > 1 ? elementNodes(schema, coordinate) : undefined;
      const kept = nodes?.flatMap((node) => node.directives ?? []);
      return kept !== undefined && !directives.every((one) => isKept(one, kept));
    })
    .map(toIssue);
}

function toIssue({ coordinate, directives }: WrittenRules): string {
  return `${coordinate}: @${directives[0]?.name.value} ${MERGED}`;
}

/** Whether one of the directives asks for everything that the rule does. */
function isKept(rule: DirectiveNode, kept: readonly DirectiveNode[]): boolean {
  return kept.some(
    ({ name, arguments: args = [] }) =>
      name.value === rule.name.value &&
      (rule.arguments ?? []).every((argument) => {
        const same = args.find((one) => one.name.value === argument.name.value);
        return same !== undefined && keyOf(same.value) === keyOf(argument.value);
      }),
  );
}

/** The same for lists with the same items; one value is a list of one. */
function keyOf(value: ValueNode): string {
  const items = value.kind === Kind.LIST ? value.values : [value];
  return JSON.stringify([...new Set(items.map(print))].sort());
}

function readRules(
  definitions: readonly DefinitionNode[],
  isRule: (name: string) => boolean,
): WrittenRules[] {
  const rules = new Map<string, WrittenRules>();
  const add = (coordinate: string, directives: readonly DirectiveNode[] = []) => {
    for (const directive of directives) {
      const name = directive.name.value;
      if (!isRule(name)) continue;
      const key = `${coordinate} ${name}`;
      const written = rules.get(key) ?? { coordinate, directives: [] };
      written.directives.push(directive);
      rules.set(key, written);
    }
  };
  for (const definition of definitions) {
    if (!('name' in definition) || definition.name === undefined || !('directives' in definition)) continue;
    add(definition.name.value, definition.directives);
    const fields = 'fields' in definition ? (definition.fields ?? []) : [];
    for (const field of fields) add(`${definition.name.value}.${field.name.value}`, field.directives);
  }
  return [...rules.values()];
}

/** @returns undefined if the schema does not have the element, as after a filter */
function elementNodes(schema: GraphQLSchema, coordinate: string) {
  const [typeName = '', fieldName] = coordinate.split('.');
  const type = schema.getType(typeName);
  if (type === undefined || fieldName === undefined) return type && nodesOf(type);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  return field && nodesOf(field, type);
}

/** The texts that the types and fields of a schema, and their directives, come from. */
function sourcesOf(schema: GraphQLSchema): Source[] {
  const sources = new Set<Source>();
  const add = (node: ASTNode) => {
    if (node.loc?.source) sources.add(node.loc.source);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    for (const node of nodesOf(type)) {
      add(node);
      const fields: NodeWithDirectives[] =
        isObjectType(type) || isInterfaceType(type) ? fieldNodesOf(type) : [];
      for (const one of [node, ...fields]) {
        add(one);
        // Each item by itself: `mergeSchemas` joins lists from several texts, and keeps nothing else of the second.
        for (const directive of one.directives ?? []) visit(directive, { enter: add });
      }
    }
  }
  return [...sources];
}

function fieldNodesOf(type: GraphQLObjectType | GraphQLInterfaceType): NodeWithDirectives[] {
  return Object.values(type.getFields()).flatMap((field) => nodesOf(field, type));
}

function parseSource({ body }: Source): readonly DefinitionNode[] {
  try {
    return parse(body, { noLocation: true }).definitions;
  } catch {
    return []; // a text with syntax of some tool; the rules that it led to are read from the schema
  }
}
