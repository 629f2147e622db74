// The cost of introspection: how many fields `__schema` and `__type` execute on this very schema.
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

/** Selections visited for each field that the limit allows; fragments are selections too. */
const STEPS_PER_FIELD = 3;

/**
 * Counts the fields of introspection by following the schema's own elements: its types, their fields, arguments and so on.
 * Each selection set is counted once for each element, and no longer than it takes to exceed `limit`.
 *
 * @returns the cost of one selection of `__schema` or `__type`; `limit + 1` or more if it was not counted to its end
 */
export function createIntrospectionCounter(
  schema: GraphQLSchema,
  fragments: FragmentMap,
  limit: number,
): (node: FieldNode) => number {
  const info = { schema } as GraphQLResolveInfo; // all that resolvers of introspection read
  const costs = new Map<SelectionSetNode, Map<unknown, number>>();
  let steps = 0;

  function costOf(selectionSet: SelectionSetNode, element: unknown, type: GraphQLObjectType): number {
    const byElement = costs.get(selectionSet) ?? new Map<unknown, number>();
    costs.set(selectionSet, byElement);
    const cached = byElement.get(element);
    if (cached !== undefined) return cached;
    byElement.set(element, Number.POSITIVE_INFINITY); // if it contains itself
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
      if (selection.directives?.some((one) => one.name.value === 'defer')) cost += 1; // sent separately
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
    // Not known yet: the most expensive type of all.
    let highest = 0;
    for (const named of Object.values(schema.getTypeMap())) {
      highest = Math.max(highest, costOf(selectionSet, named, type));
      if (highest > limit) break;
    }
    return 1 + highest;
  };
}

const fullCosts = new WeakMap<GraphQLSchema, number>();

/** Cost of the query by which tools such as GraphiQL read the whole schema, with every option. */
export function fullIntrospectionCost(schema: GraphQLSchema): number {
  const costs = fullCosts.get(schema);
  if (costs !== undefined) return costs;
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
