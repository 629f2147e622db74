// What must come of an operation, found the slow way: resolve the whole tree and ask at every object.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';
import { type MadeObject, type MadeValue, valueAt } from './data.ts';
import type { MadeField, MadeRule, MadeSchema } from './schema.ts';

/** A caller in the oracle's own words. */
export interface MadeCaller {
  roles: string[];
  scopes: string[];
  /** The policies that say yes. */
  policies: string[];
  secondsSinceSignIn: number;
}

export interface Expectation {
  /** Whether the operation must not begin in `reject` mode. */
  isRefused: boolean;
  /** What it delivers otherwise, and in `null` mode. */
  data: unknown;
  /** Where something is denied, as far as the tree is walked: paths joined by dots. */
  denied: Set<string>;
  /** The denied places whose null can be seen in the data. */
  visiblyDenied: Set<string>;
}

const NULLED = Symbol('a null that the parent must take on');
type Key = string | number;

/**
 * Every rule that binds a field of an object type. Where it returns an interface or union, what all of its
 * objects demand is certain, and so is demanded of the field.
 */
export function needsOf(schema: MadeSchema, typeName: string, fieldName: string): MadeRule[] {
  const type = schema.types.get(typeName);
  const field = type?.fields.find(({ name }) => name === fieldName);
  const declared = [type, ...(type?.interfaces ?? []).map((name) => schema.types.get(name))]
    .flatMap((one) => one?.fields ?? [])
    .filter(({ name }) => name === fieldName);
  return [
    ...declared.flatMap(({ rules }) => rules),
    ...needsOfType(schema, typeName),
    ...needsOfType(schema, field?.returns ?? ''),
    ...(isAbstract(schema, field?.returns ?? '')
      ? sharedBy(schema.objectsOf(field?.returns ?? '').map((object) => needsOfType(schema, object)))
      : []),
  ];
}

function isAbstract(schema: MadeSchema, name: string): boolean {
  const kind = schema.types.get(name)?.kind;
  return kind === 'interface' || kind === 'union';
}

export function needsOfType(schema: MadeSchema, typeName: string): MadeRule[] {
  const type = schema.types.get(typeName);
  return [
    ...(type?.rules ?? []),
    ...(type?.interfaces ?? []).flatMap((name) => schema.types.get(name)?.rules ?? []),
  ];
}

export function mayHave(needs: readonly MadeRule[], caller: MadeCaller | null): boolean {
  return needs.every(({ roles, scopes, policies, maxAge }) => {
    if (caller === null) return false;
    if (roles && !roles.some((role) => caller.roles.includes(role))) return false;
    if (scopes && !scopes.some((set) => set.every((scope) => caller.scopes.includes(scope)))) return false;
    if (policies && !policies.some((set) => set.every((name) => caller.policies.includes(name))))
      return false;
    return maxAge === undefined || caller.secondsSinceSignIn <= maxAge;
  });
}

export function expectationOf(
  schema: MadeSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, boolean>>,
  caller: MadeCaller | null,
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

  const isIn = ({ directives }: SelectionNode) =>
    (directives ?? []).every(({ name, arguments: args }) => {
      const value = args?.[0]?.value;
      const given =
        value?.kind === Kind.VARIABLE
          ? values[value.name.value]
          : value?.kind === Kind.BOOLEAN && value.value;
      return name.value === 'skip' ? given !== true : given !== false;
    });

  /** Whether a field is selected that is denied whichever objects turn up. */
  function isCertainlyDenied(
    selections: readonly SelectionNode[],
    staticType: string,
    all: string[],
  ): boolean {
    return selections.filter(isIn).some((selection) => {
      if (selection.kind === Kind.FIELD) return isFieldCertainlyDenied(selection, staticType, all);
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const on = fragment?.typeCondition?.name.value ?? staticType;
      const holdsForAll = all.every((object) => schema.objectsOf(on).includes(object));
      return holdsForAll && isCertainlyDenied(fragment?.selectionSet.selections ?? [], on, all);
    });
  }

  function isFieldCertainlyDenied(node: FieldNode, staticType: string, all: string[]): boolean {
    const name = node.name.value;
    if (name === '__typename') return false;
    if (!mayHave(sharedBy(all.map((object) => needsOf(schema, object, name))), caller)) return true;
    const field = all
      .flatMap((object) => schema.types.get(object)?.fields ?? [])
      .find((one) => one.name === name);
    const objects = schema.objectsOf(field?.returns ?? '');
    if (objects.length === 0) return false;
    return isCertainlyDenied(node.selectionSet?.selections ?? [], field?.returns ?? staticType, objects);
  }

  /** The fields of an object, merged by response key. */
  function collect(
    selections: readonly SelectionNode[],
    object: string,
    into = new Map<string, FieldNode[]>(),
  ) {
    for (const selection of selections.filter(isIn)) {
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
    object: MadeObject,
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

  function resolveField(nodes: FieldNode[], object: MadeObject, path: Key[]): unknown {
    const name = nodes[0]?.name.value ?? '';
    if (name === '__typename') return object.__typename;
    const field = schema.types.get(object.__typename)?.fields.find((one) => one.name === name);
    if (field === undefined)
      throw new Error(`The operation selects ${object.__typename}.${name}, which is not there`);
    const isNullable = !field.wrap.endsWith('!');
    if (!mayHave(needsOf(schema, object.__typename, name), caller)) return deny(path, isNullable);
    const value = complete(valueAt(schema, field, object.place), nodes, field, path);
    return value === NULLED && isNullable ? null : value;
  }

  function complete(value: MadeValue, nodes: FieldNode[], field: MadeField, path: Key[]): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item, i) => {
        const completed = complete(item, nodes, field, [...path, i]);
        return completed === NULLED && field.wrap === '[T]' ? null : completed;
      });
      return items.includes(NULLED) ? NULLED : items;
    }
    if (value === null || typeof value !== 'object') return value;
    if (isAbstract(schema, field.returns) && !mayHave(needsOfType(schema, value.__typename), caller)) {
      return deny(path, field.wrap === 'T' || field.wrap === '[T]', NULLED);
    }
    return resolveObject(nodes, value, path);
  }

  function deny(path: Key[], isNullable: boolean, value: unknown = isNullable ? null : NULLED): unknown {
    denied.add(path.join('.'));
    if (isNullable) visiblyDenied.add(path.join('.'));
    return value;
  }

  const root = resolveObject(operation, { __typename: 'Query', place: '' }, []);
  const data = root === NULLED ? null : root;
  return {
    isRefused: isCertainlyDenied(operation.selectionSet.selections, 'Query', ['Query']),
    data,
    denied,
    visiblyDenied: new Set([...visiblyDenied].filter((path) => isNullIn(data, path))),
  };
}

/** The rules that bind every one of several things, being signed in included. */
function sharedBy(lists: readonly (readonly MadeRule[])[]): MadeRule[] {
  const [first = [], ...rest] = lists;
  if (lists.some((list) => list.length === 0)) return [];
  const text = ({ directive, ...rule }: MadeRule) =>
    JSON.stringify([rule.roles, rule.scopes, rule.policies, rule.maxAge]);
  const shared = first.filter((rule) =>
    rest.every((list) => list.some((other) => text(other) === text(rule))),
  );
  return [...shared, { directive: '@auth' }];
}

/** Whether the null stands there, and has not been swallowed by one further up. */
function isNullIn(data: unknown, path: string): boolean {
  let value = data;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value === null;
}
