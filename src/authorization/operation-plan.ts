// What an operation needs, found once from its text: what is certain, and what depends on the objects it meets.
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
import type { Requirement } from './directives.ts';
import { createObjectSets, type ObjectSet } from './object-sets.ts';

/** A protected field that the operation certainly selects, at its place in the answer. */
export interface PlannedField {
  /** Such as `Query.secureData`. */
  coordinate: string;
  path: ResponsePath;
  node: FieldNode;
  parentType: GraphQLCompositeType;
  /** The field is selected unless one of these leaves it out. */
  conditions: Conditions;
}

/** The response keys of a place, from the last one to the root; list indices are not known yet. Places share theirs. */
export interface ResponsePath {
  key: string;
  prev: ResponsePath | undefined;
  /** Of all keys together as JSON, in characters. */
  length: number;
}

/** From the root on. */
export function toPathArray(path: ResponsePath): string[] {
  const keys: string[] = [];
  for (let at: ResponsePath | undefined = path; at !== undefined; at = at.prev) keys.push(at.key);
  return keys.reverse();
}

/** The response key at the root. */
export function rootKeyOf(path: ResponsePath): string {
  let root = path;
  while (root.prev !== undefined) root = root.prev;
  return root.key;
}

/** All places with one requirement. */
export interface FieldGroup {
  requirement: Requirement;
  fields: readonly PlannedField[];
}

export interface Plan {
  operation: OperationDefinitionNode;
  unconditional: readonly FieldGroup[];
  /** What may be demanded for some of the objects behind interfaces and unions, one rule once. */
  perObject: Requirement;
  /** The variables that decide whether a place is selected. */
  conditionVariables: readonly string[];
  /** Whether `certain` has every place; where not, it still has every requirement. */
  listsEveryField: boolean;
  /** Whether the root selects `__schema` or `__type`, and whether anything else. */
  introspection: 'none' | 'only' | 'mixed';
  /** How many response keys the root selects, with every condition met. */
  rootKeys: number;
}

/**
 * So many selections are looked at as often as they stand in the answer, but no more than the document has characters:
 * what is kept of it must not be much more than the document. Beyond, a set of them that was seen is not walked again and
 * conditions count as met: fragments in fragments multiply without end.
 */
const MAX_VISITS = 20_000;
const MIN_VISITS = 100;
/** Quotes and a comma. */
const KEY_MARKS = 3;

/** Plans one operation of a document; costs as much as reading it, and is kept with it. */
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
  const walked = new Map<SelectionSetNode, Set<string>>();
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
      isCertain: true,
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
    const seen = walked.get(selectionSet) ?? new Set();
    // What does not lead to places is the same wherever it stands, and whatever the conditions.
    const isPlaced = at.isCertain && !isOverBudget;
    const isRoot = at.path === undefined;
    const key = `${at.objects.names} ${at.isCertain} ${isRoot} ${isPlaced ? JSON.stringify(at.conditions) : ''}`;
    if (!isPlaced && seen.has(key)) {
      if (at.isCertain) listsEveryField = false;
      return;
    }
    walked.set(selectionSet, seen.add(key));

    for (const selection of selectionSet.selections) {
      const conditions = addConditions(selection.directives, isPlaced ? at.conditions : []);
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
      const isCertain = at.isCertain && objects === at.objects;
      if (objects.objects.length === 0) continue;
      // An object goes by its own name, also where a fragment names an interface of it.
      const named = isObjectType(at.type) ? at.type : type;
      walk(fragment.selectionSet, { ...at, type: named, objects, conditions, isCertain });
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
    // The root's type may be met again below it, and has no wall around what is told of the schema.
    const isIntrospection = INTROSPECTION.has(fieldName);
    if (isRoot || isIntrospection) rootFields.add(fieldName);
    if (isRoot) rootKeys.add(key);
    const isMeta = fieldName.startsWith('__');
    // Below the root, who sees an object may see its type's name: the object itself was protected.
    if (!isMeta || isRoot || isIntrospection) {
      addRequirement(node, fieldName, path, { ...at, isCertain: at.isCertain || isIntrospection });
    }
    const field = isMeta || isUnionType(at.type) ? undefined : at.type.getFields()[fieldName];
    const returned = field && getNamedType(field.type);
    if (!isCompositeType(returned)) return;
    const objects = objectsOf(returned);
    if (isAbstractType(returned)) add(objects.anyType());
    if (node.selectionSet) walk(node.selectionSet, { ...at, type: returned, objects, path });
  }

  function addRequirement(node: FieldNode, fieldName: string, path: ResponsePath, at: Position): void {
    const { type, objects, conditions } = at;
    add(objects.any(fieldName));
    const requirement = at.isCertain ? objects.every(fieldName) : [];
    if (requirement.length === 0) return;
    const fields = groups.get(requirement) ?? [];
    groups.set(requirement, fields);
    fields.push({ coordinate: `${type.name}.${fieldName}`, path, node, parentType: type, conditions });
    for (const { variable } of conditions) conditionVariables.add(variable);
  }

  function add(requirement: Requirement): void {
    for (const rule of requirement) perObject.add(rule);
  }
}

const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/** Where the walk stands. */
interface Position {
  /** As the operation names it. */
  type: GraphQLCompositeType;
  /** The object types that can stand here. */
  objects: ObjectSet;
  /** Undefined at the root. */
  path: ResponsePath | undefined;
  conditions: Conditions;
  /** Whether every object that can stand where the field is has the selections that follow. */
  isCertain: boolean;
}

function introspectionOf(rootFields: ReadonlySet<string>): Plan['introspection'] {
  if (INTROSPECTION.isDisjointFrom(rootFields)) return 'none';
  return [...rootFields].every((name) => name.startsWith('__')) ? 'only' : 'mixed';
}
