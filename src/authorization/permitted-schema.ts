// Filters the schema for introspection: the types and fields that a caller may use, with their requirements.
import { MapperKind, mapSchema, pruneSchema } from '@graphql-tools/utils';
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { AccessRules } from './access-rules.ts';
import { type Caller, checkRequirement } from './check-requirement.ts';
import { describeRequirement } from './explain.ts';
import type { Requirement } from './requirement.ts';

/** Maximum number of cached schemas. Callers who meet the same rules share one. */
const MAX_CACHED_SCHEMAS = 32;

/**
 * Policies are not evaluated, as they need the arguments of a field: signed-in callers see the fields that policies protect.
 *
 * @returns a function that gives the schema that a caller may use, or undefined if no field of `Query` is left
 */
export function createPermittedSchemas(enforced: GraphQLSchema, accessRules: AccessRules) {
  const schemas = new LRUCache<string, { schema: GraphQLSchema | undefined }>({ max: MAX_CACHED_SCHEMAS });
  return (caller: Caller): GraphQLSchema | undefined => {
    const met = new Set(accessRules.rules.filter((rule) => checkRequirement([rule], caller) === undefined));
    const key = accessRules.rules.map((rule) => (met.has(rule) ? 1 : 0)).join('');
    const cached = schemas.get(key);
    if (cached !== undefined) return cached.schema;
    const schema = filterSchema(enforced, accessRules, (requirement) =>
      requirement.every((rule) => met.has(rule)),
    );
    schemas.set(key, { schema });
    return schema;
  };
}

/** @returns a function that gives the whole schema with every requirement in the descriptions; created when first called */
export function createAnnotatedSchema(
  enforced: GraphQLSchema,
  accessRules: AccessRules,
): () => GraphQLSchema {
  let annotated: GraphQLSchema | undefined;
  return () => {
    annotated ??= filterSchema(enforced, accessRules, () => true) ?? enforced;
    return annotated;
  };
}

function filterSchema(
  enforced: GraphQLSchema,
  accessRules: AccessRules,
  meets: (requirement: Requirement) => boolean,
): GraphQLSchema | undefined {
  const { fields, types } = findPermitted(enforced, accessRules, meets);
  const queryType = enforced.getQueryType();
  if (!queryType || !types.has(queryType.name)) return undefined;
  const filtered = mapSchema(enforced, {
    [MapperKind.COMPOSITE_FIELD]: (config, fieldName, typeName, schema) => {
      if (!fields.has(`${typeName}.${fieldName}`)) return null;
      const type = schema.getType(typeName);
      const requirement =
        isObjectType(type) || isInterfaceType(type) ? accessRules.forField(type, fieldName) : [];
      if (requirement.length === 0) return undefined;
      return { ...config, description: withRequirement(config.description, requirement) };
    },
    [MapperKind.TYPE]: (type) => {
      if (!types.has(type.name)) return null;
      const requirement = accessRules.forType(type);
      if (requirement.length === 0) return type;
      const Type = type.constructor as new (config: object) => typeof type; // cast: the class of the type that is copied
      return new Type({ ...type.toConfig(), description: withRequirement(type.description, requirement) });
    },
  });
  return pruneSchema(dropBrokenInterfaces(filtered));
}

/**
 * Finds the types and fields that the caller may use: removes those that the caller may not use, fields whose type is removed,
 * and types without a field or member, and repeats until no type is removed.
 */
function findPermitted(
  schema: GraphQLSchema,
  accessRules: AccessRules,
  meets: (requirement: Requirement) => boolean,
): { fields: ReadonlySet<string>; types: ReadonlySet<string> } {
  const all = Object.values(schema.getTypeMap());
  const types = new Set(all.filter((type) => meets(accessRules.forType(type))).map(({ name }) => name));
  const fields = new Set<string>();
  const fieldsOf = (type: GraphQLNamedType) =>
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields()).filter(
          (field) =>
            type.name.startsWith('__') ||
            (types.has(getNamedType(field.type).name) && meets(accessRules.forField(type, field.name))),
        )
      : [];
  const isUsable = (type: GraphQLNamedType) => {
    if (isUnionType(type)) return type.getTypes().some(({ name }) => types.has(name));
    return !(isObjectType(type) || isInterfaceType(type)) || fieldsOf(type).length > 0;
  };
  for (let isSettled = false; !isSettled; ) {
    const empty = all.filter((type) => types.has(type.name) && !isUsable(type));
    for (const { name } of empty) types.delete(name);
    isSettled = empty.length === 0;
  }
  for (const type of all.filter(({ name }) => types.has(name))) {
    for (const field of fieldsOf(type)) fields.add(`${type.name}.${field.name}`);
  }
  return { fields, types };
}

/**
 * Removes each interface from the types that no longer have all of its fields. This can break another interface, if one of its
 * fields returns the removed one and an implementation returns such a type, so it repeats until every `implements` is valid.
 */
function dropBrokenInterfaces(schema: GraphQLSchema): GraphQLSchema {
  let isValid = true;
  const repaired = mapSchema(schema, {
    [MapperKind.TYPE]: (type) => {
      if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
      const config = type.toConfig();
      const interfaces = config.interfaces.filter((declared) =>
        Object.values(declared.getFields()).every((field) => {
          const own = type.getFields()[field.name];
          const declaredType = getNamedType(field.type);
          const ownType = own && getNamedType(own.type);
          if (ownType === undefined) return false;
          const isSub =
            (isInterfaceType(declaredType) || isUnionType(declaredType)) &&
            (isObjectType(ownType) || isInterfaceType(ownType)) &&
            schema.isSubType(declaredType, ownType);
          return isSub || ownType.name === declaredType.name;
        }),
      );
      if (interfaces.length === config.interfaces.length) return undefined;
      isValid = false;
      const Type = type.constructor as new (config: object) => typeof type; // cast: the class of the type that is copied
      return new Type({ ...config, interfaces });
    },
  });
  return isValid ? schema : dropBrokenInterfaces(repaired);
}

function withRequirement(description: string | null | undefined, requirement: Requirement): string {
  return [description, `Needs ${describeRequirement(requirement)}.`].filter(Boolean).join('\n\n');
}
