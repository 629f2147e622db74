// The object types that are possible at a position of an operation, with the rules that they share. Each is computed once for a
// plan: an interface may have hundreds of types and occur at thousands of positions.
import {
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
} from 'graphql';
import type { AccessRules } from './access-rules.ts';
import type { Requirement } from './requirement.ts';

/** Some object types. Equal sets are the same object if they are reached by the same fragments. */
export interface ObjectSet {
  objects: readonly GraphQLObjectType[];
  /** The names of the types, in their order. */
  names: string;
  /** The rules of any of the types themselves. */
  forAnyType(): Requirement;
  /** The rules that any of the types has for a field. */
  forAny(fieldName: string): Requirement;
  /** The rules that all of the types have for a field. */
  forEvery(fieldName: string): Requirement;
  /** The types that a fragment on `type` applies to. */
  narrow(type: GraphQLCompositeType): ObjectSet;
}

/** @returns a function that gives the object types of a type. Used for one plan, since clients choose the fragments. */
export function createObjectSets(
  schema: GraphQLSchema,
  accessRules: AccessRules,
): (type: GraphQLCompositeType) => ObjectSet {
  function toSet(objects: readonly GraphQLObjectType[]): ObjectSet {
    let typeRequirement: Requirement | undefined;
    const narrowed = new Map<GraphQLCompositeType, ObjectSet>();
    const set: ObjectSet = {
      objects,
      names: objects.map(({ name }) => name).join(),
      forAnyType() {
        typeRequirement ??= accessRules.forAny(objects);
        return typeRequirement;
      },
      forAny: memoize((fieldName) => accessRules.forAny(objects, fieldName)),
      forEvery: memoize((fieldName) => accessRules.forEvery(objects, fieldName)),
      narrow(type) {
        const cached = narrowed.get(type);
        if (cached !== undefined) return cached;
        const rest = objects.filter(
          (object) => object === type || (isAbstractType(type) && schema.isSubType(type, object)),
        );
        const created = rest.length === objects.length ? set : toSet(rest);
        narrowed.set(type, created);
        return created;
      },
    };
    return set;
  }

  return memoize((type) => toSet(isAbstractType(type) ? schema.getPossibleTypes(type) : [type]));
}

function memoize<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, Value>();
  return (key) => {
    const cached = values.get(key);
    if (cached !== undefined) return cached;
    const value = compute(key);
    values.set(key, value);
    return value;
  };
}
