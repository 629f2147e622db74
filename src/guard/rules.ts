// What the directives of a schema demand, read once: the requirement of every field and of every type.
import { getDirectives } from '@graphql-tools/utils';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { ConfigError } from '../errors.ts';

/** One directive's demand; everything given must hold, and nothing given means: signed in. */
export interface Rule {
  roles?: readonly string[];
  scopes?: readonly (readonly string[])[];
  policies?: readonly (readonly string[])[];
  /** Seconds. */
  maxAge?: number;
}

/** Rules that must all hold; empty: open to everyone. */
export type Requirement = readonly Rule[];

/** What a schema demands of a caller. */
export interface Rulebook {
  /** The field's own rule, its parent type's and that of the type it returns, each with those of the interfaces. */
  ofField(parentType: GraphQLObjectType | GraphQLInterfaceType, fieldName: string): Requirement;
  /** The type's own rule and those of the interfaces it implements. */
  ofType(type: GraphQLNamedType): Requirement;
}

/** The directives, ours and Federation's, and the rule that each one's arguments make. */
const DIRECTIVES: Record<string, (args: Record<string, unknown>) => Rule> = {
  auth: (args) => args,
  authenticated: () => ({}),
  requiresScopes: ({ scopes }) => ({ scopes }) as Rule,
  policy: ({ policies }) => ({ policies }) as Rule,
};

type Composite = GraphQLObjectType | GraphQLInterfaceType;

/**
 * Reads the rules of a schema, whatever made it: SDL, `extend type` or `extensions.directives`.
 * @throws ConfigError naming every directive whose arguments make no rule
 */
export function readRules(schema: GraphQLSchema): Rulebook {
  const faults: string[] = [];
  const types = new Map<string, Requirement>();
  const fields = new Map<string, Requirement>();

  const own = (element: GraphQLNamedType | GraphQLField<unknown, unknown>, coordinate: string): Rule[] =>
    getDirectives(schema, element).flatMap(({ name, args = {} }) => {
      const makeRule = DIRECTIVES[name];
      if (makeRule === undefined) return [];
      const rule = makeRule(args);
      faults.push(...faultsOf(rule).map((fault) => `${coordinate}: @${name} ${fault}`));
      return [rule];
    });
  const interfacesOf = (type: GraphQLNamedType): readonly GraphQLInterfaceType[] =>
    isObjectType(type) || isInterfaceType(type) ? type.getInterfaces() : [];

  const allTypes = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const ownOfType = new Map(allTypes.map((type) => [type.name, own(type, type.name)]));
  for (const type of allTypes) {
    types.set(type.name, collect([type, ...interfacesOf(type)].map(({ name }) => ownOfType.get(name))));
  }
  const composites = allTypes.filter(
    (type): type is Composite => isObjectType(type) || isInterfaceType(type),
  );
  const ownOfField = new Map<string, Rule[]>();
  for (const type of composites) {
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      ownOfField.set(coordinate, own(field, coordinate));
    }
  }
  for (const type of composites) {
    for (const field of Object.values(type.getFields())) {
      const asWrittenIn = [type, ...interfacesOf(type)].map(({ name }) =>
        ownOfField.get(`${name}.${field.name}`),
      );
      const returned = types.get(getNamedType(field.type).name);
      fields.set(`${type.name}.${field.name}`, collect([...asWrittenIn, types.get(type.name), returned]));
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);

  return {
    ofField: (parentType, fieldName) => fields.get(`${parentType.name}.${fieldName}`) ?? [],
    ofType: (type) => types.get(type.name) ?? [],
  };
}

/** All rules of the lists, each once. */
function collect(lists: readonly (readonly Rule[] | undefined)[]): Requirement {
  const distinct = new Map(lists.flatMap((list) => list ?? []).map((rule) => [JSON.stringify(rule), rule]));
  return [...distinct.values()];
}

function faultsOf({ roles, scopes, policies, maxAge }: Rule): string[] {
  const isStrings = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === 'string');
  const isSets = (list: unknown) => Array.isArray(list) && list.every(isStrings);
  const faults: string[] = [];
  if (roles !== undefined && !isStrings(roles)) faults.push('roles: must be a list of strings');
  if (scopes !== undefined && !isSets(scopes)) faults.push('scopes: must be a list of lists of strings');
  if (policies !== undefined) faults.push('policies: no policies are configured');
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && maxAge >= 0)) {
    faults.push('maxAge: must be a whole number of seconds');
  }
  return faults;
}
