// The object types that can stand at a place of an operation, and what they demand, each looked up once in a plan: an interface
// may have hundreds of types, and stand at thousands of places.
import {
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
} from 'graphql';
import type { AccessRules } from './access-rules.ts';
import type { Requirement } from './directives.ts';

/** Some object types; the same ones are the same set, unless fragments lead to them by different ways. */
export interface ObjectSet {
  objects: readonly GraphQLObjectType[];
  /** The names, in their order. */
  names: string;
  /** What any of the types demands, of itself. */
  anyType(): Requirement;
  /** What any of the types demands of a field. */
  any(fieldName: string): Requirement;
  /** What each of the types demands of a field. */
  every(fieldName: string): Requirement;
  /** Those of the types that a fragment on `type` applies to. */
  narrow(type: GraphQLCompositeType): ObjectSet;
}

/** @returns a function that gives the object types of a type; for one plan, since callers choose the fragments */
export function createObjectSets(
  schema: GraphQLSchema,
  accessRules: AccessRules,
): (type: GraphQLCompositeType) => ObjectSet {
  function toSet(objects: readonly GraphQLObjectType[]): ObjectSet {
    let ofTypes: Requirement | undefined;
    const narrowed = new Map<GraphQLCompositeType, ObjectSet>();
    const set: ObjectSet = {
      objects,
      names: objects.map(({ name }) => name).join(),
      anyType() {
        ofTypes ??= accessRules.forAny(objects);
        return ofTypes;
      },
      any: memoize((fieldName) => accessRules.forAny(objects, fieldName)),
      every: memoize((fieldName) => accessRules.forEvery(objects, fieldName)),
      narrow(type) {
        const known = narrowed.get(type);
        if (known !== undefined) return known;
        const rest = objects.filter(
          (object) => object === type || (isAbstractType(type) && schema.isSubType(type, object)),
        );
        const made = rest.length === objects.length ? set : toSet(rest);
        narrowed.set(type, made);
        return made;
      },
    };
    return set;
  }

  return memoize((type) => toSet(isAbstractType(type) ? schema.getPossibleTypes(type) : [type]));
}

function memoize<Key, Value>(find: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const value = known.get(key);
    if (value !== undefined) return value;
    const found = find(key);
    known.set(key, found);
    return found;
  };
}
