// Finds elements with two rules of which a merge has left one: @graphql-tools/merge joins the arguments of a directive that a
// type and its extension both have, and the result requires less than either.
//
// `roles: ["a"]` and `roles: ["b"]` become `roles: ["a", "b"]`, for example, which either role meets.
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

/** Every application of one directive to one element, in the source text. */
interface SourceRules {
  /** The element's schema coordinate, such as `Query.secureData`. */
  coordinate: string;
  directives: DirectiveNode[];
}

const REPEATED =
  'must not be repeated, as a merge would combine both into a rule that requires less. Write one rule';

/** @returns an issue for each element with two different applications of one directive */
export function findRepeatedRules(
  documents: readonly DocumentNode[],
  isRule: (name: string) => boolean,
): string[] {
  const definitions = documents.flatMap((document) => document.definitions);
  return readRules(definitions, isRule)
    .filter(({ directives }) =>
      directives.some((one) => !directives.every((other) => includesRule([other], one))),
    )
    .map(toIssue);
}

/**
 * Compares a schema with the texts that its nodes come from, as far as they have a source.
 *
 * @returns an issue for each element with a rule in a text that is not in the schema
 */
export function findMergedRules(schema: GraphQLSchema, isRule: (name: string) => boolean): string[] {
  const definitions = sourcesOf(schema).flatMap(parseSource);
  return readRules(definitions, isRule)
    .filter(({ coordinate, directives }) => {
      const nodes = directives.length > 1 ? elementNodes(schema, coordinate) : undefined;
      const merged = nodes?.flatMap((node) => node.directives ?? []);
      return merged !== undefined && !directives.every((one) => includesRule(merged, one));
    })
    .map(toIssue);
}

function toIssue({ coordinate, directives }: SourceRules): string {
  return `${coordinate}: @${directives[0]?.name.value} ${REPEATED}`;
}

/** Whether one of the directives has every argument of the rule. */
function includesRule(directives: readonly DirectiveNode[], rule: DirectiveNode): boolean {
  return directives.some(
    ({ name, arguments: args = [] }) =>
      name.value === rule.name.value &&
      (rule.arguments ?? []).every((argument) => {
        const same = args.find((one) => one.name.value === argument.name.value);
        return same !== undefined && toKey(same.value) === toKey(argument.value);
      }),
  );
}

/** @returns the same key for lists with the same items; a single value is a list of one */
function toKey(value: ValueNode): string {
  const items = value.kind === Kind.LIST ? value.values : [value];
  return JSON.stringify([...new Set(items.map(print))].sort());
}

function readRules(definitions: readonly DefinitionNode[], isRule: (name: string) => boolean): SourceRules[] {
  const rules = new Map<string, SourceRules>();
  const add = (coordinate: string, directives: readonly DirectiveNode[] = []) => {
    for (const directive of directives) {
      const name = directive.name.value;
      if (!isRule(name)) continue;
      const key = `${coordinate} ${name}`;
      const rule = rules.get(key) ?? { coordinate, directives: [] };
      rule.directives.push(directive);
      rules.set(key, rule);
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

/** @returns undefined if the schema does not have the element, for example after a filter */
function elementNodes(schema: GraphQLSchema, coordinate: string) {
  const [typeName = '', fieldName] = coordinate.split('.');
  const type = schema.getType(typeName);
  if (type === undefined || fieldName === undefined) return type && nodesOf(type);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  return field && nodesOf(field, type);
}

/** @returns the texts that the types and fields of a schema, and their directives, come from */
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
        // Every node of an argument: `mergeSchemas` joins lists from several texts, of which only the items have the source.
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
    return []; // not GraphQL: a text for another tool, whose rules are read from the schema alone
  }
}
