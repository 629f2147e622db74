// Computes the cost of introspection: the number of fields that `__schema` and `__type` execute on a given schema.
import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  getOperationAST,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { type FragmentMap, toFragmentMap } from '../../utils/fragments.ts';
import { isExcluded, measureOperation } from './operation-cost.ts';

/** Selections to visit per field that the limit allows. Fragment spreads count as selections too. */
const STEPS_PER_FIELD = 3;

/**
 * Counts the fields of introspection on the schema's actual types, fields and arguments. Each selection set is counted once
 * per element. Counting stops as soon as it exceeds `limit`.
 *
 * @returns a function that gives the cost of one selection of `__schema` or `__type`: more than `limit` if counting stopped early
 */
export function createIntrospectionCounter(
  schema: GraphQLSchema,
  fragments: FragmentMap,
  limit: number,
): (node: FieldNode) => number {
  const info = { schema } as GraphQLResolveInfo; // the resolvers of introspection read nothing else
  const costs = new Map<SelectionSetNode, Map<unknown, number>>();
  let steps = 0;

  function costOf(selectionSet: SelectionSetNode, element: unknown, type: GraphQLObjectType): number {
    const byElement = costs.get(selectionSet) ?? new Map<unknown, number>();
    costs.set(selectionSet, byElement);
    const cached = byElement.get(element);
    if (cached !== undefined) return cached;
    byElement.set(element, Number.POSITIVE_INFINITY); // the cost if the selection set contains itself
    let cost = 0;
    for (const selection of selectionSet.selections) {
      steps += 1;
      if (steps > limit * STEPS_PER_FIELD) return limit + 1;
      if (isExcluded(selection.directives)) continue;
      if (selection.kind === Kind.FIELD) {
        cost += fieldCost(selection, element, type);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (fragment !== undefined) cost += costOf(fragment.selectionSet, element, type);
      if (selection.directives?.some((one) => one.name.value === 'defer')) cost += 1; // a deferred fragment is a payload of its own
    }
    byElement.set(element, cost);
    return cost;
  }

  function fieldCost(node: FieldNode, element: unknown, type: GraphQLObjectType): number {
    const field = type.getFields()[node.name.value];
    const returned = field && getNamedType(field.type);
    if (field?.resolve === undefined || node.selectionSet === undefined || !isObjectType(returned)) return 1;
    const value = field.resolve(element, { includeDeprecated: true }, undefined, info);
    let cost = 1;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item != null) cost += costOf(node.selectionSet, item, returned);
      if (steps > limit * STEPS_PER_FIELD) return cost;
    }
    return cost;
  }

  return (node) => {
    const { selectionSet } = node;
    const typeName = node.name.value === '__schema' ? '__Schema' : '__Type';
    const type = schema.getType(typeName);
    if (selectionSet === undefined || !isObjectType(type)) return 1;
    if (typeName === '__Schema') return 1 + costOf(selectionSet, schema, type);
    const name = node.arguments?.find((one) => one.name.value === 'name')?.value;
    if (name?.kind === Kind.STRING) {
      const named = schema.getType(name.value);
      return named ? 1 + costOf(selectionSet, named, type) : 1;
    }
    // The name is a variable, so the most expensive type counts.
    let highest = 0;
    for (const named of Object.values(schema.getTypeMap())) {
      highest = Math.max(highest, costOf(selectionSet, named, type));
      if (highest > limit) break;
    }
    return 1 + highest;
  };
}

// Kept per schema, because it takes milliseconds on a large one and does not depend on the request.
const fullCosts = new WeakMap<GraphQLSchema, number>();

/** Cost of the query with which tools such as GraphiQL read the whole schema, with every option enabled. */
export function fullIntrospectionCost(schema: GraphQLSchema): number {
  const cached = fullCosts.get(schema);
  if (cached !== undefined) return cached;
  const document = parse(
    getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  );
  const operation = getOperationAST(document);
  const counter = createIntrospectionCounter(schema, toFragmentMap(document), Number.POSITIVE_INFINITY);
  const cost = operation
    ? measureOperation(schema, document, operation, { listSizeOf: () => 1, introspectionCostOf: counter })
        .introspection
    : 0;
  fullCosts.set(schema, cost);
  return cost;
}
