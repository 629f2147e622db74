// The requirement of every field and type of a schema, read once: docs/guard.md in tables.
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
import {
  type AccessDirectives,
  createRuleReader,
  type Requirement,
  type Rule,
  SIGNED_IN,
} from './directives.ts';

export interface AccessRulesOptions {
  /** With `deny`, what is not public needs a signed-in caller. */
  defaultAccess: 'allow' | 'deny';
  /** The names that `policies` may use. */
  policyNames: readonly string[];
}

/** What a schema demands of a caller. */
export interface AccessRules {
  /**
   * The field's own rule, its parent type's and that of the type it returns, each with those of the interfaces. On an
   * interface, also what every implementation demands. The meta-fields `__typename`, `__schema` and `__type` need what
   * their parent type does.
   */
  forField(parentType: GraphQLCompositeType, fieldName: string): Requirement;
  /** The type's own rule and those of the interfaces it implements; on an abstract type, also what every object demands. */
  forType(type: GraphQLNamedType): Requirement;
  /** What each of some object types demands, of a field where one is named; at least being signed in where all demand. */
  forEvery(objects: readonly GraphQLObjectType[], fieldName: string): Requirement;
  /** What any of some object types demands, of a field where one is named. */
  forAny(objects: readonly GraphQLObjectType[], fieldName?: string): Requirement;
  /** Marked as public, so that nothing being demanded is no oversight. */
  isPublic(parentType: GraphQLObjectType | GraphQLInterfaceType, fieldName: string): boolean;
  /** Every distinct rule of the schema. */
  rules: readonly Rule[];
}

type FieldsType = GraphQLObjectType | GraphQLInterfaceType;
const OPEN: AccessDirectives = { rules: [], isPublic: false, issues: [] };
const hasFields = (type: unknown): type is FieldsType => isObjectType(type) || isInterfaceType(type);

/** @throws ConfigError naming every directive that makes no rule, and every policy that nobody has defined */
export function readAccessRules(schema: GraphQLSchema, options: AccessRulesOptions): AccessRules {
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const written = readAll(schema, types, options.policyNames);
  const intern = createInterner();
  const forType = new Map<string, Requirement>();
  const forField = new Map<string, Requirement>();
  const publicFields = new Set<string>();

  const withInterfaces = (type: GraphQLNamedType): readonly GraphQLNamedType[] =>
    hasFields(type) ? [type, ...type.getInterfaces()] : [type];
  const typeRules = (type: GraphQLNamedType) =>
    withInterfaces(type).flatMap(({ name }) => written(name).rules);
  /** With the objects' own where the type is abstract, so that what holds for all of them is certain. */
  const certainOfType = (type: GraphQLNamedType) => [
    ...typeRules(type),
    ...(isAbstractType(type) ? sharedRules(schema.getPossibleTypes(type).map(typeRules)) : []),
  ];

  for (const type of types) forType.set(type.name, intern(certainOfType(type)));
  const composites = types
    .filter(hasFields)
    .sort((a, b) => Number(isInterfaceType(a)) - Number(isInterfaceType(b)));
  for (const type of composites) {
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const declaring = withInterfaces(type).filter((one) => hasFields(one) && field.name in one.getFields());
      const places = declaring.map(({ name }) => written(`${name}.${field.name}`));
      const isPublic =
        places.some((place) => place.isPublic) || declaring.some(({ name }) => written(name).isPublic);
      const own = [
        ...places.flatMap(({ rules }) => rules),
        ...typeRules(type),
        ...(forType.get(getNamedType(field.type).name) ?? []),
        // Objects come first, so an interface finds its implementations' here.
        ...(isInterfaceType(type)
          ? sharedRules(
              schema.getPossibleTypes(type).map(({ name }) => forField.get(`${name}.${field.name}`) ?? []),
            )
          : []),
      ];
      if (isPublic) publicFields.add(coordinate);
      const closed = options.defaultAccess === 'deny' && !isPublic && own.length === 0;
      forField.set(coordinate, intern(closed ? [SIGNED_IN] : own));
    }
  }

  const fieldOf = (parentType: GraphQLCompositeType, fieldName: string): Requirement =>
    fieldName.startsWith('__') || isUnionType(parentType)
      ? metaField(parentType)
      : (forField.get(`${parentType.name}.${fieldName}`) ?? []);
  const metaField = (type: GraphQLNamedType | null | undefined) => {
    if (!type) return [];
    const own = forType.get(type.name) ?? [];
    const closed = options.defaultAccess === 'deny' && own.length === 0 && !written(type.name).isPublic;
    return closed ? intern([SIGNED_IN]) : own;
  };
  return {
    forField: fieldOf,
    forType: (type) => forType.get(type.name) ?? [],
    forEvery: (objects, fieldName) => {
      const [only] = objects;
      if (only !== undefined && objects.length === 1) return fieldOf(only, fieldName);
      return intern(sharedRules(objects.map((object) => fieldOf(object, fieldName))));
    },
    forAny: (objects, fieldName) =>
      intern(
        objects.flatMap((object) =>
          fieldName === undefined ? (forType.get(object.name) ?? []) : fieldOf(object, fieldName),
        ),
      ),
    isPublic: (parentType, fieldName) => publicFields.has(`${parentType.name}.${fieldName}`),
    rules: [...new Set([...forField.values(), ...forType.values(), metaField(schema.getQueryType())].flat())],
  };
}

/** What stands on every type and field, by coordinate. */
function readAll(
  schema: GraphQLSchema,
  types: readonly GraphQLNamedType[],
  policyNames: readonly string[],
): (coordinate: string) => AccessDirectives {
  const demands = new Map<string, AccessDirectives>();
  const { read, issues } = createRuleReader(schema);
  for (const type of types) {
    demands.set(type.name, read(type));
    for (const field of hasFields(type) ? Object.values(type.getFields()) : []) {
      demands.set(`${type.name}.${field.name}`, read(field, type));
    }
  }
  const ofElements = [...demands].flatMap(([coordinate, { issues: faults, rules }]) => [
    ...faults.map((fault) => `${coordinate}: ${fault}`),
    ...rules
      .flatMap(({ policies = [] }) => policies.flat())
      .filter((name) => !policyNames.includes(name))
      .map((name) => `${coordinate}: no policy has the name "${name}"`),
  ]);
  const faults = [...issues, ...ofElements];
  for (const [coordinate, element] of unsupportedElements(schema, types)) {
    const { rules, isPublic } = read(element);
    if (rules.length > 0 || isPublic) faults.push(`${coordinate}: is not a place where access can be ruled`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return (coordinate) => demands.get(coordinate) ?? OPEN;
}

type UnsupportedElement =
  | GraphQLSchema
  | GraphQLNamedType
  | GraphQLArgument
  | GraphQLInputField
  | GraphQLEnumValue;

/** Everything else that can carry a directive, by coordinate: a rule there would be one that nobody keeps. */
function unsupportedElements(
  schema: GraphQLSchema,
  types: readonly GraphQLNamedType[],
): [string, UnsupportedElement][] {
  const elements: [string, UnsupportedElement][] = [['schema', schema]];
  for (const type of types) {
    const inner = isEnumType(type)
      ? type.getValues()
      : isInputObjectType(type)
        ? Object.values(type.getFields())
        : [];
    if (isInputObjectType(type)) elements.push([type.name, type]);
    for (const element of inner) elements.push([`${type.name}.${element.name}`, element]);
    for (const { name, args } of hasFields(type) ? Object.values(type.getFields()) : []) {
      for (const argument of args) elements.push([`${type.name}.${name}(${argument.name}:)`, argument]);
    }
  }
  return elements;
}

/** The rules that stand in every list; where all lists have some, at least being signed in. */
function sharedRules(lists: readonly Requirement[]): Rule[] {
  const [first = [], ...rest] = lists;
  if (first.length === 0 || rest.some((list) => list.length === 0)) return [];
  const keys = rest.map((list) => new Set(list.map(keyOf)));
  const shared = first.filter((rule) => keys.every((set) => set.has(keyOf(rule))));
  return shared.length > 0 ? shared : [SIGNED_IN];
}

/** The same for rules that demand the same, in whatever order it is written. */
function keyOf({ roles, scopes, policies, maxAge }: Rule): string {
  const sorted = (sets: Rule['scopes']) =>
    sets?.map((set) => JSON.stringify([...new Set(set)].sort())).sort();
  return JSON.stringify([roles && [...new Set(roles)].sort(), sorted(scopes), sorted(policies), maxAge]);
}

/** Makes equal rules one object and equal requirements one array, so that plans can compare them by identity. */
function createInterner(): (rules: readonly Rule[]) => Requirement {
  const rules = new Map<string, Rule>();
  const requirements = new Map<string, Requirement>();
  return (list) => {
    const distinct = new Map(list.map((rule) => [keyOf(rule), rule]));
    // Every other rule asks for a signed-in caller too.
    if (distinct.size > 1) distinct.delete(keyOf(SIGNED_IN));
    const keys = [...distinct.keys()].sort();
    const key = keys.join();
    const known = requirements.get(key);
    if (known !== undefined) return known;
    for (const [ruleKey, rule] of distinct) if (!rules.has(ruleKey)) rules.set(ruleKey, rule);
    const requirement = keys.flatMap((ruleKey) => rules.get(ruleKey) ?? []);
    requirements.set(key, requirement);
    return requirement;
  };
}
