// Introspection by identity: the schema as one caller may use it, with a line on what each protected part needs.
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
import type { Requirement } from './directives.ts';
import { describeRequirement } from './explain.ts';

/** How many filtered schemas are kept; callers who satisfy the same rules share one. */
const MAX_CACHED_SCHEMAS = 32;

/**
 * @returns a function that gives the schema a caller may see; undefined where that has no field of `Query`. Whether a
 *   policy would say yes is not known without arguments: what a policy protects is shown to everyone signed in.
 */
export function createPermittedSchemas(enforced: GraphQLSchema, accessRules: AccessRules) {
  const kept = new LRUCache<string, { schema: GraphQLSchema | undefined }>({ max: MAX_CACHED_SCHEMAS });
  return (caller: Caller): GraphQLSchema | undefined => {
    const met = new Set(accessRules.rules.filter((rule) => checkRequirement([rule], caller) === undefined));
    const key = accessRules.rules.map((rule) => (met.has(rule) ? 1 : 0)).join('');
    const known = kept.get(key);
    if (known !== undefined) return known.schema;
    const schema = filterSchema(enforced, accessRules, (requirement) =>
      requirement.every((rule) => met.has(rule)),
    );
    kept.set(key, { schema });
    return schema;
  };
}

/** @returns a function that gives the whole schema with a line on what each protected part needs; it is made once */
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
      const Type = type.constructor as new (config: object) => typeof type; // the class of the very type copied
      return new Type({ ...type.toConfig(), description: withRequirement(type.description, requirement) });
    },
  });
  return pruneSchema(dropBrokenInterfaces(filtered));
}

/**
 * What is left when everything is gone that the caller may not use, that returns what is gone, or that has nothing left:
 * taken away round by round until nothing more goes.
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
  const hasSomething = (type: GraphQLNamedType) => {
    if (isUnionType(type)) return type.getTypes().some(({ name }) => types.has(name));
    return !(isObjectType(type) || isInterfaceType(type)) || fieldsOf(type).length > 0;
  };
  for (let isSettled = false; !isSettled; ) {
    const empty = all.filter((type) => types.has(type.name) && !hasSomething(type));
    for (const { name } of empty) types.delete(name);
    isSettled = empty.length === 0;
  }
  for (const type of all.filter(({ name }) => types.has(name))) {
    for (const field of fieldsOf(type)) fields.add(`${type.name}.${field.name}`);
  }
  return { fields, types };
}

/**
 * A type that lacks a field of an interface no longer implements it, and then may no longer stand where its own fields'
 * interfaces want it: such fields' types are compared after each round, until all promises are kept.
 */
function dropBrokenInterfaces(schema: GraphQLSchema): GraphQLSchema {
  let isKept = true;
  const repaired = mapSchema(schema, {
    [MapperKind.TYPE]: (type) => {
      if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
      const config = type.toConfig();
      const interfaces = config.interfaces.filter((promised) =>
        Object.values(promised.getFields()).every((field) => {
          const own = type.getFields()[field.name];
          const wanted = getNamedType(field.type);
          const given = own && getNamedType(own.type);
          if (given === undefined) return false;
          const isSub =
            (isInterfaceType(wanted) || isUnionType(wanted)) &&
            (isObjectType(given) || isInterfaceType(given));
          return given.name === wanted.name || (isSub && schema.isSubType(wanted, given));
        }),
      );
      if (interfaces.length === config.interfaces.length) return undefined;
      isKept = false;
      const Type = type.constructor as new (config: object) => typeof type; // the class of the very type copied
      return new Type({ ...config, interfaces });
    },
  });
  return isKept ? schema : dropBrokenInterfaces(repaired);
}

function withRequirement(description: string | null | undefined, requirement: Requirement): string {
  return [description, `Needs ${describeRequirement(requirement)}.`].filter(Boolean).join('\n\n');
}
