// What an operation certainly needs, found from its text: the answer before execution.
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Requirement, Rulebook } from './rules.ts';

/** A protected field, at its place in the answer. */
export interface PlannedCheck {
  requirement: Requirement;
  /** Such as `Query.secureData`. */
  coordinate: string;
  /** Response keys from the root; list indices are not known yet. */
  path: readonly string[];
  node: FieldNode;
  /** The field is selected unless one of these leaves it out. */
  conditions: readonly Condition[];
}

/** A `@skip` or `@include` on the way to the field that a variable decides. */
export interface Condition {
  variable: string;
  /** The value with which the field is left out. */
  leavesOutWhen: boolean;
}

/** Every place is listed up to this many; beyond, a selection that was seen before is not walked again. */
const MAX_LISTED_PLACES = 1_000;

/**
 * The checks of the selected operation, one for each protected field that it certainly selects. What depends on the
 * concrete type of an object is left to the wall.
 */
export function planOperation(
  schema: GraphQLSchema,
  rulebook: Rulebook,
  document: DocumentNode,
  operationName: string | null | undefined,
): PlannedCheck[] {
  const operation = getOperationAST(document, operationName);
  const rootType = operation && schema.getRootType(operation.operation);
  if (!operation || !rootType) return [];
  const fragments = new Map(
    document.definitions
      .filter(
        (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
      )
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const checks: PlannedCheck[] = [];
  const walked = new Map<SelectionSetNode, Set<string>>();
  walk(operation.selectionSet, rootType, [], []);
  return checks;

  function walk(
    selectionSet: SelectionSetNode,
    parentType: GraphQLCompositeType,
    path: readonly string[],
    conditions: readonly Condition[],
  ): void {
    const key = `${parentType.name} ${JSON.stringify(conditions)}`;
    const seen = walked.get(selectionSet) ?? new Set();
    if (checks.length >= MAX_LISTED_PLACES && seen.has(key)) return;
    walked.set(selectionSet, seen.add(key));

    for (const selection of selectionSet.selections) {
      const narrowed = conditionsOf(selection.directives, conditions);
      if (narrowed === undefined) continue;
      if (selection.kind === Kind.FIELD) {
        walkField(selection, parentType, [...path, selection.alias?.value ?? selection.name.value], narrowed);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const name = fragment?.typeCondition?.name.value;
      const type = name === undefined ? parentType : schema.getType(name);
      if (fragment !== undefined && isCompositeType(type) && holdsForEvery(parentType, type)) {
        walk(fragment.selectionSet, narrower(parentType, type), path, narrowed);
      }
    }
  }

  function walkField(
    node: FieldNode,
    parentType: GraphQLCompositeType,
    path: readonly string[],
    conditions: readonly Condition[],
  ): void {
    const fieldName = node.name.value;
    const field = isUnionType(parentType) ? undefined : parentType.getFields()[fieldName];
    const requirement =
      isUnionType(parentType) || field === undefined
        ? rulebook.ofType(parentType) // `__typename` and the other meta-fields
        : rulebook.ofField(parentType, fieldName);
    if (requirement.length > 0) {
      checks.push({ requirement, coordinate: `${parentType.name}.${fieldName}`, path, node, conditions });
    }
    const returned = field && getNamedType(field.type);
    if (node.selectionSet && isCompositeType(returned)) walk(node.selectionSet, returned, path, conditions);
  }

  /** Whether every object that stands where `parentType` is expected is of `type` too. */
  function holdsForEvery(parentType: GraphQLCompositeType, type: GraphQLCompositeType): boolean {
    if (parentType === type) return true;
    const isPossible = (object: GraphQLCompositeType) =>
      object === type || (!isObjectType(type) && isObjectType(object) && schema.isSubType(type, object));
    const objects = isObjectType(parentType) ? [parentType] : schema.getPossibleTypes(parentType);
    return objects.every(isPossible);
  }
}

/** On an object type, what its own fields demand counts, also where they are selected through an interface. */
function narrower(parentType: GraphQLCompositeType, type: GraphQLCompositeType): GraphQLCompositeType {
  return isObjectType(parentType) ? parentType : type;
}

/** The conditions with those of one selection added; undefined where it is left out whatever the variables. */
function conditionsOf(
  directives: readonly DirectiveNode[] | undefined,
  conditions: readonly Condition[],
): readonly Condition[] | undefined {
  let narrowed = conditions;
  for (const { name, arguments: args } of directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const leavesOutWhen = name.value === 'skip';
    const value = args?.find((argument) => argument.name.value === 'if')?.value;
    if (value?.kind === Kind.BOOLEAN && value.value === leavesOutWhen) return undefined;
    if (value?.kind === Kind.VARIABLE) {
      narrowed = [...narrowed, { variable: value.name.value, leavesOutWhen }];
    }
  }
  return narrowed;
}

/** The variables of a request with the operation's default values; only what decides a condition matters here. */
export function withDefaults(
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (values[name] === undefined && defaultValue?.kind === Kind.BOOLEAN) values[name] = defaultValue.value;
  }
  return values;
}

/** Whether a planned field is selected with these variables; anything but a clear no is a yes. */
export function isSelected(
  { conditions }: PlannedCheck,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  return conditions.every(({ variable, leavesOutWhen }) => variables[variable] !== leavesOutWhen);
}
