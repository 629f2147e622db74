// The oracle: computes the expected result of an operation without a plan, by resolving the whole tree and checking every object.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';
import { type GeneratedObject, type GeneratedValue, valueAt } from './data.ts';
import type { GeneratedField, GeneratedRule, GeneratedSchema } from './schema.ts';

/** A caller as the oracle represents it. */
export interface GeneratedCaller {
  roles: string[];
  scopes: string[];
  /** The policies that return true for the caller. */
  policies: string[];
  secondsSinceSignIn: number;
}

/** The expected result of one operation for one caller. */
export interface Expectation {
  /** Whether the operation must not run if `onDenied` is `reject`. */
  isRejected: boolean;
  /** The expected data otherwise, and if `onDenied` is `null`. */
  data: unknown;
  /** The paths, joined by dots, at which something is denied, as far as the tree is resolved. */
  denied: Set<string>;
  /** The paths in `denied` whose null is in the data, rather than replaced by a null further up. */
  visiblyDenied: Set<string>;
}

const NULLED = Symbol('null that propagates to the parent');
type Key = string | number;

/**
 * Lists every rule of a field of an object type. If it returns an interface or union, these include the rules that all of its
 * object types share.
 */
export function rulesOfField(schema: GeneratedSchema, typeName: string, fieldName: string): GeneratedRule[] {
  const type = schema.types.get(typeName);
  const field = type?.fields.find(({ name }) => name === fieldName);
  const declared = [type, ...(type?.interfaces ?? []).map((name) => schema.types.get(name))]
    .flatMap((one) => one?.fields ?? [])
    .filter(({ name }) => name === fieldName);
  return [
    ...declared.flatMap(({ rules }) => rules),
    ...rulesOfType(schema, typeName),
    ...rulesOfType(schema, field?.returns ?? ''),
    ...(isAbstract(schema, field?.returns ?? '')
      ? sharedBy(schema.objectsOf(field?.returns ?? '').map((object) => rulesOfType(schema, object)))
      : []),
  ];
}

function isAbstract(schema: GeneratedSchema, name: string): boolean {
  const kind = schema.types.get(name)?.kind;
  return kind === 'interface' || kind === 'union';
}

/** Lists the rules of a type and of its interfaces. */
export function rulesOfType(schema: GeneratedSchema, typeName: string): GeneratedRule[] {
  const type = schema.types.get(typeName);
  return [
    ...(type?.rules ?? []),
    ...(type?.interfaces ?? []).flatMap((name) => schema.types.get(name)?.rules ?? []),
  ];
}

/** Whether the caller meets all rules. */
export function meetsRules(rules: readonly GeneratedRule[], caller: GeneratedCaller | null): boolean {
  return rules.every(({ roles, scopes, policies, maxAge }) => {
    if (caller === null) return false;
    if (roles && !roles.some((role) => caller.roles.includes(role))) return false;
    if (scopes && !scopes.some((set) => set.every((scope) => caller.scopes.includes(scope)))) return false;
    if (policies && !policies.some((set) => set.every((name) => caller.policies.includes(name))))
      return false;
    return maxAge === undefined || caller.secondsSinceSignIn <= maxAge;
  });
}

/** @param caller null for an anonymous caller */
export function computeExpectation(
  schema: GeneratedSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, boolean>>,
  caller: GeneratedCaller | null,
): Expectation {
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  const values: Record<string, boolean> = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue?.kind === Kind.BOOLEAN) values[variable.name.value] ??= defaultValue.value;
  }
  const denied = new Set<string>();
  const visiblyDenied = new Set<string>();

  const isSelected = ({ directives }: SelectionNode) =>
    (directives ?? []).every(({ name, arguments: args }) => {
      const value = args?.[0]?.value;
      const condition =
        value?.kind === Kind.VARIABLE
          ? values[value.name.value]
          : value?.kind === Kind.BOOLEAN && value.value;
      return name.value === 'skip' ? condition !== true : condition !== false;
    });

  /**
   * Whether a selected field is denied for every object.
   *
   * @param all the object types that are possible here
   */
  function selectsDenied(selections: readonly SelectionNode[], staticType: string, all: string[]): boolean {
    return selections.filter(isSelected).some((selection) => {
      if (selection.kind === Kind.FIELD) return isDenied(selection, staticType, all);
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const on = fragment?.typeCondition?.name.value ?? staticType;
      const holdsForAll = all.every((object) => schema.objectsOf(on).includes(object));
      return holdsForAll && selectsDenied(fragment?.selectionSet.selections ?? [], on, all);
    });
  }

  function isDenied(node: FieldNode, staticType: string, all: string[]): boolean {
    const name = node.name.value;
    if (name === '__typename') return false;
    if (!meetsRules(sharedBy(all.map((object) => rulesOfField(schema, object, name))), caller)) return true;
    const field = all
      .flatMap((object) => schema.types.get(object)?.fields ?? [])
      .find((one) => one.name === name);
    const objects = schema.objectsOf(field?.returns ?? '');
    if (objects.length === 0) return false;
    return selectsDenied(node.selectionSet?.selections ?? [], field?.returns ?? staticType, objects);
  }

  /** Collects the fields that the selections have for an object type, by response key. */
  function collect(
    selections: readonly SelectionNode[],
    object: string,
    into = new Map<string, FieldNode[]>(),
  ) {
    for (const selection of selections.filter(isSelected)) {
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        into.set(key, [...(into.get(key) ?? []), selection]);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const on = fragment?.typeCondition?.name.value ?? object;
      if (schema.objectsOf(on).includes(object))
        collect(fragment?.selectionSet.selections ?? [], object, into);
    }
    return into;
  }

  function resolveObject(
    nodes: readonly FieldNode[] | OperationDefinitionNode,
    object: GeneratedObject,
    path: Key[],
  ): unknown {
    const selections =
      'operation' in nodes
        ? nodes.selectionSet.selections
        : nodes.flatMap((node) => node.selectionSet?.selections ?? []);
    const result: Record<string, unknown> = {};
    let isNulled = false;
    for (const [key, fieldNodes] of collect(selections, object.__typename)) {
      const value = resolveField(fieldNodes, object, [...path, key]);
      if (value === NULLED) isNulled = true;
      result[key] = value;
    }
    return isNulled ? NULLED : result;
  }

  function resolveField(nodes: FieldNode[], object: GeneratedObject, path: Key[]): unknown {
    const name = nodes[0]?.name.value ?? '';
    if (name === '__typename') return object.__typename;
    const field = schema.types.get(object.__typename)?.fields.find((one) => one.name === name);
    if (field === undefined)
      throw new Error(`The operation selects ${object.__typename}.${name}, which does not exist`);
    const isNullable = !field.wrap.endsWith('!');
    if (!meetsRules(rulesOfField(schema, object.__typename, name), caller)) return deny(path, isNullable);
    const value = complete(valueAt(schema, field, object.path), nodes, field, path);
    return value === NULLED && isNullable ? null : value;
  }

  function complete(value: GeneratedValue, nodes: FieldNode[], field: GeneratedField, path: Key[]): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item, i) => {
        const completed = complete(item, nodes, field, [...path, i]);
        return completed === NULLED && field.wrap === '[T]' ? null : completed;
      });
      return items.includes(NULLED) ? NULLED : items;
    }
    if (value === null || typeof value !== 'object') return value;
    if (isAbstract(schema, field.returns) && !meetsRules(rulesOfType(schema, value.__typename), caller)) {
      return deny(path, field.wrap === 'T' || field.wrap === '[T]', NULLED);
    }
    return resolveObject(nodes, value, path);
  }

  function deny(path: Key[], isNullable: boolean, value: unknown = isNullable ? null : NULLED): unknown {
    denied.add(path.join('.'));
    if (isNullable) visiblyDenied.add(path.join('.'));
    return value;
  }

  const root = resolveObject(operation, { __typename: 'Query', path: '' }, []);
  const data = root === NULLED ? null : root;
  return {
    isRejected: selectsDenied(operation.selectionSet.selections, 'Query', ['Query']),
    data,
    denied,
    visiblyDenied: new Set([...visiblyDenied].filter((path) => isNullIn(data, path))),
  };
}

/** The rules that all lists share. If no list is empty, these include the rule that the caller is signed in. */
function sharedBy(lists: readonly (readonly GeneratedRule[])[]): GeneratedRule[] {
  const [first = [], ...rest] = lists;
  if (lists.some((list) => list.length === 0)) return [];
  const toKey = ({ directive, ...rule }: GeneratedRule) =>
    JSON.stringify([rule.roles, rule.scopes, rule.policies, rule.maxAge]);
  const shared = first.filter((rule) =>
    rest.every((list) => list.some((other) => toKey(other) === toKey(rule))),
  );
  return [...shared, { directive: '@auth' }];
}

/** Whether the data has the null at the path itself, not further up. */
function isNullIn(data: unknown, path: string): boolean {
  let value = data;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value === null;
}
