// Finds fields with the same response name that cannot be merged, in time proportional to the document with its fragments
// expanded. The rule of graphql-js compares every pair of fields; this one compares each field with the first of its group.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import { toFragmentMap } from '../../utils/fragments.ts';
import { argumentsKey } from './value-key.ts';

/** One selection of a field. */
export interface SelectedField {
  key: string;
  node: FieldNode;
  /** Undefined if the document is invalid. */
  parentType: GraphQLNamedType | undefined;
  type: GraphQLOutputType | undefined;
  /** The field whose selection set contains this one; undefined for root fields. */
  parent: SelectedField | undefined;
}

export interface FieldConflict {
  first: SelectedField;
  second: SelectedField;
  /** In the words of graphql-js, such as `they have differing arguments`. */
  reason: string;
}

export interface FieldConflicts {
  /** At most one per group of fields. */
  conflicts: readonly FieldConflict[];
  /** Number of selections visited, with fragments expanded. Above `maxSteps`, the search has ended early. */
  steps: number;
}

interface Selected {
  selectionSet: SelectionSetNode;
  type: GraphQLNamedType | undefined;
  parent: SelectedField | undefined;
}

/** `shape`: compares types only, because the fields belong to objects of different types. */
type Mode = 'shape' | 'all';

/** Maximum number reported. One conflict is enough to reject a document. */
const MAX_CONFLICTS = 20;

/**
 * Checks that fields in a set can merge (GraphQL specification, section 5.3.2), with the same result as graphql-js's rule.
 *
 * @param maxSteps selections to visit before the search ends
 */
export function findFieldConflicts(
  schema: GraphQLSchema,
  document: DocumentNode,
  maxSteps: number,
): FieldConflicts {
  const fragments = toFragmentMap(document);
  const conflicts: FieldConflict[] = [];
  const ids = new Map<SelectionSetNode, number>();
  const checked = new Set<string>();
  const visited = new Set<string>();
  let steps = 0;

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const type = schema.getRootType(definition.operation) ?? undefined;
    check([{ selectionSet: definition.selectionSet, type, parent: undefined }], 'all');
  }
  // The operations have visited the fragments that they reach; unused fragments follow.
  for (const [name, { selectionSet, typeCondition }] of fragments) {
    if (visited.has(name)) continue;
    check([{ selectionSet, type: schema.getType(typeCondition.name.value), parent: undefined }], 'all');
  }
  return { conflicts, steps };

  /** Checks selection sets that select from the same object. */
  function check(sets: readonly Selected[], mode: Mode): void {
    const key = [...new Set(sets.map(({ selectionSet }) => idOf(selectionSet)))].sort((a, b) => a - b).join();
    steps += sets.length;
    if (checked.has(`all ${key}`) || checked.has(`${mode} ${key}`)) return;
    checked.add(`${mode} ${key}`);
    for (const fields of collectFields(sets).values()) {
      if (steps > maxSteps || conflicts.length >= MAX_CONFLICTS) return;
      checkGroup(fields, mode);
    }
  }

  function checkGroup(fields: readonly SelectedField[], mode: Mode): void {
    const [first] = fields;
    if (first === undefined) return;
    if (fields.length === 1) {
      checkSubfields(fields, mode);
      return;
    }
    const groups = mode === 'shape' ? [] : groupByParent(fields);
    const before = conflicts.length;
    for (const group of groups) {
      steps += group.length;
      const conflict = findCallConflict(group);
      if (conflict !== undefined) conflicts.push(conflict);
    }
    const conflict = conflicts.length > before ? undefined : findShapeConflict(fields);
    if (conflict !== undefined) conflicts.push(conflict);
    if (conflicts.length > before) return;
    for (const group of groups) checkSubfields(group, 'all');
    if (groups.length !== 1 && conflicts.length === before) checkSubfields(fields, 'shape');
  }

  function checkSubfields(fields: readonly SelectedField[], mode: Mode): void {
    const sets: Selected[] = [];
    for (const field of fields) {
      const { selectionSet } = field.node;
      if (selectionSet === undefined) continue;
      sets.push({ selectionSet, type: field.type && getNamedType(field.type), parent: field });
    }
    if (sets.length > 0) check(sets, mode);
  }

  /** Groups fields by response name. A selection set that is spread twice, or that contains itself, is collected once. */
  function collectFields(sets: readonly Selected[]): Map<string, SelectedField[]> {
    const groups = new Map<string, SelectedField[]>();
    const collected = new Set<SelectionSetNode>();
    for (const set of sets) collect(set);
    return groups;

    function collect({ selectionSet, type: parentType, parent }: Selected): void {
      if (collected.has(selectionSet)) return;
      collected.add(selectionSet);
      for (const selection of selectionSet.selections) {
        steps += 1;
        if (steps > maxSteps) return;
        if (selection.kind === Kind.FIELD) {
          const key = selection.alias?.value ?? selection.name.value;
          const type = typeOf(selection.name.value, parentType);
          const field = { key, node: selection, parentType, type, parent };
          const group = groups.get(key);
          if (group === undefined) groups.set(key, [field]);
          else group.push(field);
          continue;
        }
        const fragment =
          selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
        if (fragment === undefined) continue;
        if (selection.kind === Kind.FRAGMENT_SPREAD) visited.add(selection.name.value);
        const condition = fragment.typeCondition?.name.value;
        const type = condition === undefined ? parentType : schema.getType(condition);
        collect({ selectionSet: fragment.selectionSet, type, parent });
      }
    }
  }

  function typeOf(name: string, parentType: GraphQLNamedType | undefined): GraphQLOutputType | undefined {
    if (!isObjectType(parentType) && !isInterfaceType(parentType)) return undefined;
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef.type;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef.type;
    return parentType.getFields()[name]?.type;
  }

  function idOf(selectionSet: SelectionSetNode): number {
    const id = ids.get(selectionSet) ?? ids.size;
    ids.set(selectionSet, id);
    return id;
  }
}

/** Types agree if their lists and non-null markers are the same, and if both are the same leaf type or neither is a leaf. */
function findShapeConflict(fields: readonly SelectedField[]): FieldConflict | undefined {
  const [first] = fields;
  const typed = fields.find(({ type }) => type !== undefined);
  for (const field of fields) {
    if (isStreamed(field) && first !== undefined) {
      const other = field === first ? fields[1] : first;
      if (other) return { first: other, second: field, reason: 'they have overlapping stream directives' };
    }
    if (typed?.type === undefined || field.type === undefined) continue;
    if (haveSameShape(typed.type, field.type)) continue;
    const reason = `they return conflicting types "${typed.type}" and "${field.type}"`;
    return { first: typed, second: field, reason };
  }
  return undefined;
}

function haveSameShape(one: GraphQLOutputType, other: GraphQLOutputType): boolean {
  if (one === other) return true;
  if (isListType(one)) return isListType(other) && haveSameShape(one.ofType, other.ofType);
  if (isNonNullType(one)) return isNonNullType(other) && haveSameShape(one.ofType, other.ofType);
  return !isListType(other) && !isNonNullType(other) && !isLeafType(one) && !isLeafType(other);
}

function isStreamed({ node }: SelectedField): boolean {
  return node.directives?.some(({ name }) => name.value === 'stream') ?? false;
}

/** Groups fields that one object can have: those of one object type, with all those of interfaces and unions. */
function groupByParent(fields: readonly SelectedField[]): (readonly SelectedField[])[] {
  const byObject = new Map<GraphQLObjectType, SelectedField[]>();
  const others: SelectedField[] = [];
  for (const field of fields) {
    const { parentType } = field;
    if (!isObjectType(parentType)) others.push(field);
    else {
      const group = byObject.get(parentType);
      if (group === undefined) byObject.set(parentType, [field]);
      else group.push(field);
    }
  }
  if (byObject.size < 2) return [fields];
  return [...byObject.values()].map((group) => (others.length === 0 ? group : [...group, ...others]));
}

/** Fields of the same object must be the same field with the same arguments. */
function findCallConflict([first, ...others]: readonly SelectedField[]): FieldConflict | undefined {
  if (first === undefined) return undefined;
  const name = first.node.name.value;
  for (const second of others) {
    const otherName = second.node.name.value;
    if (name !== otherName) {
      return { first, second, reason: `"${name}" and "${otherName}" are different fields` };
    }
    if (argumentsKey(first.node) !== argumentsKey(second.node)) {
      return { first, second, reason: 'they have differing arguments' };
    }
  }
  return undefined;
}
