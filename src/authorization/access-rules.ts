// The access rules of a schema: what every field and type requires, combined from the directives once, when the schema is set.
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLEnumValue,
  type GraphQLInputField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { ConfigError } from '../errors.ts';
import { type AccessDirectives, createRuleReader } from './directives.ts';
import { createInterner, type Requirement, type Rule, SIGNED_IN, sharedRules } from './requirement.ts';

export interface AccessRulesOptions {
  /** `deny`: a field without a rule that is not public requires a signed-in caller. */
  defaultAccess: 'allow' | 'deny';
  /** The policies that directives may name. */
  policyNames: readonly string[];
}

/** The requirements of a schema's fields and types. Equal requirements are the same array. */
export interface AccessRules {
  /**
   * Combines the rules of the field, of its parent type and of the type that it returns, each with those of the interfaces.
   * For a field of an interface, also the rules that all implementations share. The meta-fields `__typename`, `__schema` and
   * `__type` require what their parent type requires.
   */
  forField(parentType: GraphQLCompositeType, fieldName: string): Requirement;
  /** Combines the rules of the type and of its interfaces; for an abstract type, also those that all its object types share. */
  forType(type: GraphQLNamedType): Requirement;
  /** The rules that all of the object types have for a field; at least `SIGNED_IN` if each of them has a rule. */
  forEvery(objects: readonly GraphQLObjectType[], fieldName: string): Requirement;
  /** The rules that any of the object types has: for the field, or for the type itself without `fieldName`. */
  forAny(objects: readonly GraphQLObjectType[], fieldName?: string): Requirement;
  /** Whether the field is marked `@public`, by itself or through its type, so that it is open on purpose. */
  isPublic(parentType: GraphQLObjectType | GraphQLInterfaceType, fieldName: string): boolean;
  /** Every distinct rule of the schema. */
  rules: readonly Rule[];
}

type FieldsType = GraphQLObjectType | GraphQLInterfaceType;
const NO_DIRECTIVES: AccessDirectives = { rules: [], isPublic: false, issues: [] };
const hasFields = (type: unknown): type is FieldsType => isObjectType(type) || isInterfaceType(type);

/**
 * Reads the directives of a schema and combines them.
 *
 * @throws ConfigError naming every directive with a mistake, every undefined policy, and every directive in a position that
 *   cannot be enforced
 */
export function readAccessRules(schema: GraphQLSchema, options: AccessRulesOptions): AccessRules {
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const directivesAt = readAllDirectives(schema, types, options.policyNames);
  const intern = createInterner();
  const forType = new Map<string, Requirement>();
  const forField = new Map<string, Requirement>();
  const publicFields = new Set<string>();

  const withInterfaces = (type: GraphQLNamedType): readonly GraphQLNamedType[] =>
    hasFields(type) ? [type, ...type.getInterfaces()] : [type];
  const typeRules = (type: GraphQLNamedType) =>
    withInterfaces(type).flatMap(({ name }) => directivesAt(name).rules);
  /** For an abstract type, includes the rules that all object types share, so that they are checked before execution. */
  const unconditionalTypeRules = (type: GraphQLNamedType) => [
    ...typeRules(type),
    ...(isAbstractType(type) ? sharedRules(schema.getPossibleTypes(type).map(typeRules)) : []),
  ];

  for (const type of types) forType.set(type.name, intern(unconditionalTypeRules(type)));
  // Object types first: the fields of an interface use those of its implementations.
  const composites = types
    .filter(hasFields)
    .sort((a, b) => Number(isInterfaceType(a)) - Number(isInterfaceType(b)));
  for (const type of composites) {
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const declaring = withInterfaces(type).filter((one) => hasFields(one) && field.name in one.getFields());
      const declarations = declaring.map(({ name }) => directivesAt(`${name}.${field.name}`));
      const isPublic =
        declarations.some((declaration) => declaration.isPublic) ||
        declaring.some(({ name }) => directivesAt(name).isPublic);
      const rules = [
        ...declarations.flatMap((declaration) => declaration.rules),
        ...typeRules(type),
        ...(forType.get(getNamedType(field.type).name) ?? []),
        ...(isInterfaceType(type)
          ? sharedRules(
              schema.getPossibleTypes(type).map(({ name }) => forField.get(`${name}.${field.name}`) ?? []),
            )
          : []),
      ];
      if (isPublic) publicFields.add(coordinate);
      const isClosed = options.defaultAccess === 'deny' && !isPublic && rules.length === 0;
      forField.set(coordinate, intern(isClosed ? [SIGNED_IN] : rules));
    }
  }

  const requirementOf = (parentType: GraphQLCompositeType, fieldName: string): Requirement =>
    fieldName.startsWith('__') || isUnionType(parentType)
      ? metaFieldRequirement(parentType)
      : (forField.get(`${parentType.name}.${fieldName}`) ?? []);
  const metaFieldRequirement = (type: GraphQLNamedType | null | undefined) => {
    if (!type) return [];
    const requirement = forType.get(type.name) ?? [];
    const isClosed =
      options.defaultAccess === 'deny' && requirement.length === 0 && !directivesAt(type.name).isPublic;
    return isClosed ? intern([SIGNED_IN]) : requirement;
  };
  return {
    forField: requirementOf,
    forType: (type) => forType.get(type.name) ?? [],
    forEvery: (objects, fieldName) => {
      const [only] = objects;
      if (only !== undefined && objects.length === 1) return requirementOf(only, fieldName);
      return intern(sharedRules(objects.map((object) => requirementOf(object, fieldName))));
    },
    forAny: (objects, fieldName) =>
      intern(
        objects.flatMap((object) =>
          fieldName === undefined ? (forType.get(object.name) ?? []) : requirementOf(object, fieldName),
        ),
      ),
    isPublic: (parentType, fieldName) => publicFields.has(`${parentType.name}.${fieldName}`),
    rules: [
      ...new Set(
        [...forField.values(), ...forType.values(), metaFieldRequirement(schema.getQueryType())].flat(),
      ),
    ],
  };
}

/** @returns the directives of every type and field, by coordinate */
function readAllDirectives(
  schema: GraphQLSchema,
  types: readonly GraphQLNamedType[],
  policyNames: readonly string[],
): (coordinate: string) => AccessDirectives {
  const byCoordinate = new Map<string, AccessDirectives>();
  const { read, issues: schemaIssues } = createRuleReader(schema);
  for (const type of types) {
    byCoordinate.set(type.name, read(type));
    for (const field of hasFields(type) ? Object.values(type.getFields()) : []) {
      byCoordinate.set(`${type.name}.${field.name}`, read(field, type));
    }
  }
  const elementIssues = [...byCoordinate].flatMap(([coordinate, { issues, rules }]) => [
    ...issues.map((issue) => `${coordinate}: ${issue}`),
    ...rules
      .flatMap(({ policies = [] }) => policies.flat())
      .filter((name) => !policyNames.includes(name))
      .map((name) => `${coordinate}: no policy has the name "${name}"`),
  ]);
  const misplaced = unsupportedElements(schema, types).filter(({ element }) => {
    const { rules, isPublic } = read(element);
    return rules.length > 0 || isPublic;
  });
  const issues = [
    ...schemaIssues,
    ...elementIssues,
    ...misplaced.map(({ coordinate, kind }) => `${coordinate}: access directives are not allowed on ${kind}`),
  ];
  if (issues.length > 0) throw new ConfigError(issues);
  return (coordinate) => byCoordinate.get(coordinate) ?? NO_DIRECTIVES;
}

interface UnsupportedElement {
  coordinate: string;
  /** A plural noun for the message, such as `arguments`. */
  kind: string;
  element: GraphQLSchema | GraphQLNamedType | GraphQLArgument | GraphQLInputField | GraphQLEnumValue;
}

/** Lists the elements that can carry a directive but have no resolver to enforce it: a rule there would have no effect. */
function unsupportedElements(
  schema: GraphQLSchema,
  types: readonly GraphQLNamedType[],
): UnsupportedElement[] {
  const elements: UnsupportedElement[] = [{ coordinate: 'schema', kind: 'the schema', element: schema }];
  for (const type of types) {
    if (isInputObjectType(type)) {
      elements.push({ coordinate: type.name, kind: 'input types', element: type });
      for (const field of Object.values(type.getFields()))
        elements.push({ coordinate: `${type.name}.${field.name}`, kind: 'input fields', element: field });
    }
    for (const value of isEnumType(type) ? type.getValues() : [])
      elements.push({ coordinate: `${type.name}.${value.name}`, kind: 'enum values', element: value });
    for (const { name, args } of hasFields(type) ? Object.values(type.getFields()) : []) {
      for (const argument of args) {
        const coordinate = `${type.name}.${name}(${argument.name}:)`;
        elements.push({ coordinate, kind: 'arguments', element: argument });
      }
    }
  }
  return elements;
}
