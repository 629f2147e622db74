// Plans an operation: lists the requirements of its fields, from its text alone.
//
// Each operation is planned once. `evaluate-plan.ts` compares the plan with the caller of each request.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { toFragmentMap } from '../utils/fragments.ts';
import type { AccessRules } from './access-rules.ts';
import { addConditions, type Conditions } from './conditions.ts';
import { createObjectSets, type ObjectSet } from './object-sets.ts';
import type { Requirement } from './requirement.ts';

/** A protected field that the operation selects for every object, at one path of the response. */
export interface PlannedField {
  /** The field's schema coordinate, such as `Query.secureData`. */
  coordinate: string;
  path: ResponsePath;
  node: FieldNode;
  parentType: GraphQLCompositeType;
  /** The `@skip` and `@include` by variables that apply to the field. */
  conditions: Conditions;
}

/** The response keys from a field to the root, without list indices. A linked list, so that fields share their parents' keys. */
export interface ResponsePath {
  key: string;
  prev: ResponsePath | undefined;
  /** Length of all keys as JSON, in characters. */
  length: number;
}

/** All fields with one requirement. */
export interface FieldGroup {
  requirement: Requirement;
  fields: readonly PlannedField[];
}

/** The requirements of one operation, independent of the caller. */
export interface Plan {
  operation: OperationDefinitionNode;
  /** Requirements that apply whatever objects the operation returns. Checked before execution. */
  unconditional: readonly FieldGroup[];
  /**
   * Every rule that applies to some object that the operation could return, each once. A caller who meets all of them needs no
   * checks during execution.
   */
  perObject: Requirement;
  /** The variables that decide whether a field of `unconditional` is selected. */
  conditionVariables: readonly string[];
  /** Whether `unconditional` lists every field. If not, it still has every requirement. */
  listsEveryField: boolean;
  /** `only`: the root selects nothing but `__schema`, `__type` and `__typename`. `mixed`: one of the first two, and data. */
  introspection: 'none' | 'only' | 'mixed';
  /** Number of response keys at the root, with every condition met. */
  rootKeys: number;
}

/**
 * Maximum number of selections to visit one by one, once for each path that leads to them. Also limited by the document's length
 * in characters, so that a plan is not much larger than its document. Beyond it, a selection set that was visited before is
 * skipped and conditions count as met: fragments within fragments multiply exponentially.
 */
const MAX_VISITS = 20_000;
const MIN_VISITS = 100;
/** Characters that JSON adds to a key of a path: quotes and a comma. */
const KEY_MARKS = 3;

const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/** The selection set that the planner visits, and the way to it. */
interface Position {
  /** The type that the operation selects on. */
  type: GraphQLCompositeType;
  /** The object types that are possible here. */
  objects: ObjectSet;
  /** Undefined at the root. */
  path: ResponsePath | undefined;
  conditions: Conditions;
  /** Whether the selections apply to every object that is possible for their parent field. */
  isUnconditional: boolean;
}

/** Plans one operation of a document. Takes about as long as parsing the document, so callers cache the plan with it. */
export function planOperation(
  schema: GraphQLSchema,
  accessRules: AccessRules,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Plan {
  const fragments = toFragmentMap(document);
  const groups = new Map<Requirement, PlannedField[]>();
  const perObject = new Set<Requirement[number]>();
  const conditionVariables = new Set<string>();
  const rootFields = new Set<string>();
  const rootKeys = new Set<string>();
  /** For each selection set, the positions in which it was visited. */
  const visited = new Map<SelectionSetNode, Set<string>>();
  const maxVisits = Math.min(MAX_VISITS, Math.max(MIN_VISITS, document.loc?.end ?? MAX_VISITS));
  const objectsOf = createObjectSets(schema, accessRules);
  let visits = 0;
  let listsEveryField = true;

  const rootType = schema.getRootType(operation.operation);
  if (rootType) {
    walk(operation.selectionSet, {
      type: rootType,
      objects: objectsOf(rootType),
      path: undefined,
      conditions: [],
      isUnconditional: true,
    });
  }
  return {
    operation,
    unconditional: [...groups].map(([requirement, fields]) => ({ requirement, fields })),
    perObject: [...perObject],
    conditionVariables: [...conditionVariables],
    listsEveryField,
    introspection: introspectionOf(rootFields),
    rootKeys: rootKeys.size,
  };

  function walk(selectionSet: SelectionSetNode, at: Position): void {
    visits += selectionSet.selections.length;
    const isOverBudget = visits > maxVisits;
    const positions = visited.get(selectionSet) ?? new Set();
    // Only fields that are listed one by one have paths and conditions of their own.
    const isListed = at.isUnconditional && !isOverBudget;
    const isRoot = at.path === undefined;
    const key = `${at.objects.names} ${at.isUnconditional} ${isRoot} ${isListed ? JSON.stringify(at.conditions) : ''}`;
    if (!isListed && positions.has(key)) {
      if (at.isUnconditional) listsEveryField = false;
      return;
    }
    visited.set(selectionSet, positions.add(key));

    for (const selection of selectionSet.selections) {
      const conditions = addConditions(selection.directives, isListed ? at.conditions : []);
      if (conditions === undefined) continue;
      if (selection.kind === Kind.FIELD) {
        walkField(selection, { ...at, conditions });
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const name = fragment?.typeCondition?.name.value;
      const type = name === undefined ? at.type : schema.getType(name);
      if (fragment === undefined || !isCompositeType(type)) continue;
      const objects = at.objects.narrow(type);
      const isUnconditional = at.isUnconditional && objects === at.objects;
      if (objects.objects.length === 0) continue;
      // A fragment on an interface does not change the type of an object: its own fields have the rules of both.
      const selectedType = isObjectType(at.type) ? at.type : type;
      walk(fragment.selectionSet, { ...at, type: selectedType, objects, conditions, isUnconditional });
    }
  }

  function walkField(node: FieldNode, at: Position): void {
    const fieldName = node.name.value;
    const key = node.alias?.value ?? fieldName;
    const path: ResponsePath = {
      key,
      prev: at.path,
      length: key.length + KEY_MARKS + (at.path?.length ?? 0),
    };
    const isRoot = at.path === undefined;
    // A field can return the query type, so `__schema` also occurs below the root; no resolver could check it there.
    const isIntrospection = INTROSPECTION.has(fieldName);
    if (isRoot || isIntrospection) rootFields.add(fieldName);
    if (isRoot) rootKeys.add(key);
    const isMeta = fieldName.startsWith('__');
    // Below the root, `__typename` needs no check of its own: the object was checked.
    if (!isMeta || isRoot || isIntrospection) {
      addRequirement(node, fieldName, path, {
        ...at,
        isUnconditional: at.isUnconditional || isIntrospection,
      });
    }
    const field = isMeta || isUnionType(at.type) ? undefined : at.type.getFields()[fieldName];
    const returned = field && getNamedType(field.type);
    if (!isCompositeType(returned)) return;
    const objects = objectsOf(returned);
    if (isAbstractType(returned)) addRules(objects.forAnyType());
    if (node.selectionSet) walk(node.selectionSet, { ...at, type: returned, objects, path });
  }

  function addRequirement(node: FieldNode, fieldName: string, path: ResponsePath, at: Position): void {
    const { type, objects, conditions } = at;
    addRules(objects.forAny(fieldName));
    const requirement = at.isUnconditional ? objects.forEvery(fieldName) : [];
    if (requirement.length === 0) return;
    const fields = groups.get(requirement) ?? [];
    groups.set(requirement, fields);
    fields.push({ coordinate: `${type.name}.${fieldName}`, path, node, parentType: type, conditions });
    for (const { variable } of conditions) conditionVariables.add(variable);
  }

  function addRules(requirement: Requirement): void {
    for (const rule of requirement) perObject.add(rule);
  }
}

function introspectionOf(rootFields: ReadonlySet<string>): Plan['introspection'] {
  if (INTROSPECTION.isDisjointFrom(rootFields)) return 'none';
  return [...rootFields].every((name) => name.startsWith('__')) ? 'only' : 'mixed';
}

/** @returns the response keys from the root to the field */
export function toPathArray(path: ResponsePath): string[] {
  const keys: string[] = [];
  for (let at: ResponsePath | undefined = path; at !== undefined; at = at.prev) keys.push(at.key);
  return keys.reverse();
}

/** @returns the response key of the root field that leads to the field */
export function toRootKey(path: ResponsePath): string {
  let root = path;
  while (root.prev !== undefined) root = root.prev;
  return root.key;
}
