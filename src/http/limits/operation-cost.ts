// Computes the cost of an operation from its text and the schema: the number of fields that it can execute.
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { toFragmentMap } from '../../utils/fragments.ts';

export interface CostOptions {
  /** Assumed length of the list that a field returns. */
  listSizeOf(coordinate: string): number;
  /** Cost of a field `__schema` or `__type`, its selections included. @default 0 */
  introspectionCostOf?(node: FieldNode): number;
}

export interface OperationCost {
  /** Number of fields that the operation can execute, introspection excluded. */
  fields: number;
  /** Number of introspection fields, as `introspectionCostOf` counts them. */
  introspection: number;
}

/** Cost of a selection set: a part that every object has, and an additional part by object type. */
interface Cost {
  every: number;
  byType: Map<GraphQLObjectType, number>;
}

/** Maximum number of steps for costs by object type in one operation. Beyond it, all types share the largest cost. */
const MAX_TYPE_STEPS = 100_000;

/**
 * Counts the fields that an operation can execute. Every alias and every spread of a fragment counts, a list counts as
 * `listSizeOf` items, and an interface or union counts as its most expensive object type. Takes time proportional to the
 * document, because each selection set is counted once.
 *
 * @returns numbers that are exact up to 2^53; `Infinity` if a fragment contains itself
 */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { listSizeOf, introspectionCostOf = () => 0 }: CostOptions,
): OperationCost {
  const fragments = toFragmentMap(document);
  const rootType = schema.getRootType(operation.operation);
  if (!rootType) return { fields: 0, introspection: 0 };
  let introspects = false;
  const fields = count(() => {
    introspects = true;
    return 0;
  }, 1);
  return { fields, introspection: introspects ? count(introspectionCostOf, 0) : 0 };

  /** @param ownCost cost of a field of the application's schema: 0 to count introspection alone */
  function count(metaCostOf: (node: FieldNode) => number, ownCost: 0 | 1): number {
    const costs = new Map<SelectionSetNode, Cost>();
    let typeSteps = 0;
    return largest(costOf(operation.selectionSet, rootType as GraphQLObjectType)); // checked above

    function costOf(selectionSet: SelectionSetNode, type: GraphQLCompositeType): Cost {
      const cached = costs.get(selectionSet);
      if (cached !== undefined) return cached;
      costs.set(selectionSet, { every: Number.POSITIVE_INFINITY, byType: new Map() }); // the cost if the selection set contains itself
      const cost: Cost = { every: 0, byType: new Map() };
      for (const selection of selectionSet.selections) {
        if (isExcluded(selection.directives)) continue;
        if (selection.kind === Kind.FIELD) {
          cost.every += fieldCost(selection, type);
          continue;
        }
        const fragment =
          selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
        const name = fragment?.typeCondition?.name.value;
        const inner = name === undefined ? type : schema.getType(name);
        if (fragment === undefined || !isCompositeType(inner)) continue;
        addFragmentCost(cost, type, costOf(fragment.selectionSet, inner), inner);
        if (selection.directives?.some((one) => one.name.value === 'defer')) cost.every += ownCost; // a deferred fragment is a payload of its own
      }
      costs.set(selectionSet, cost);
      return cost;
    }

    function fieldCost(node: FieldNode, type: GraphQLCompositeType): number {
      const name = node.name.value;
      if (name === '__schema' || name === '__type') return metaCostOf(node);
      const field = isUnionType(type) ? undefined : type.getFields()[name];
      if (field === undefined) return ownCost; // __typename
      const returned = getNamedType(field.type);
      const depth = listDepth(field.type);
      const items = depth === 0 ? 1 : listSizeOf(`${type.name}.${name}`) ** depth;
      if (!isCompositeType(returned)) return depth === 0 ? ownCost : ownCost + ownCost * items;
      if (node.selectionSet === undefined) return ownCost;
      const each = largest(costOf(node.selectionSet, returned));
      return each === 0 ? ownCost : ownCost + items * each;
    }

    /** Adds the cost of a fragment on type `inner` to a selection set on `type`. */
    function addFragmentCost(
      cost: Cost,
      type: GraphQLCompositeType,
      fragment: Cost,
      inner: GraphQLCompositeType,
    ): void {
      const objects = possibleTypes(type);
      typeSteps += objects.length;
      if (typeSteps > MAX_TYPE_STEPS) {
        cost.every += largest(fragment);
        return;
      }
      const covered = objects.filter(
        (one) => one === inner || (isAbstractType(inner) && schema.isSubType(inner, one)),
      );
      const coversAll = covered.length === objects.length;
      if (coversAll) cost.every += fragment.every;
      for (const object of covered) {
        const more = (fragment.byType.get(object) ?? 0) + (coversAll ? 0 : fragment.every);
        if (more > 0) cost.byType.set(object, (cost.byType.get(object) ?? 0) + more);
      }
    }
  }

  function possibleTypes(type: GraphQLCompositeType): readonly GraphQLObjectType[] {
    return isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  }
}

function largest({ every, byType }: Cost): number {
  let most = 0;
  for (const more of byType.values()) most = Math.max(most, more);
  return every + most;
}

function listDepth(type: GraphQLOutputType): number {
  const nullable = getNullableType(type);
  return isListType(nullable) ? 1 + listDepth(nullable.ofType) : 0;
}

export interface OperationSize {
  /** Number of fields on the root type. */
  rootFields: number;
  /** Maximum number of fields nested within each other. */
  depth: number;
}

/** Measures an operation with its fragments expanded wherever they are spread. */
export function measureSize(document: DocumentNode, operation: OperationDefinitionNode): OperationSize {
  const fragments = toFragmentMap(document);
  const costs = new Map<SelectionSetNode, OperationSize>();
  const measure = (selectionSet: SelectionSetNode): OperationSize => {
    const cached = costs.get(selectionSet);
    if (cached !== undefined) return cached;
    costs.set(selectionSet, { rootFields: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY }); // the cost if the selection set contains itself
    let [rootFields, depth] = [0, 0];
    for (const selection of selectionSet.selections) {
      if (isExcluded(selection.directives)) continue;
      const node = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const inner = node?.selectionSet && measure(node.selectionSet);
      const isField = selection.kind === Kind.FIELD;
      rootFields += isField ? 1 : (inner?.rootFields ?? 0);
      depth = Math.max(depth, (isField ? 1 : 0) + (inner?.depth ?? 0));
    }
    const size = { rootFields, depth };
    costs.set(selectionSet, size);
    return size;
  };
  return measure(operation.selectionSet);
}

/** Whether `@skip(if: true)` or `@include(if: false)` excludes a selection. A condition with a variable excludes nothing. */
export function isExcluded(directives: readonly DirectiveNode[] = []): boolean {
  return directives.some(({ name, arguments: args = [] }) => {
    const value = args.find((one) => one.name.value === 'if')?.value;
    if (value?.kind !== Kind.BOOLEAN) return false;
    return (name.value === 'skip' && value.value) || (name.value === 'include' && !value.value);
  });
}
