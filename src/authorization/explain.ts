// Describes requirements in words: for descriptions in a schema, tables and warnings.
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import type { AccessRules } from './access-rules.ts';
import type { Requirement, Rule } from './requirement.ts';

/** The requirement of one field. */
export interface FieldExplanation {
  /** The field's schema coordinate, such as `Query.secureData`. */
  coordinate: string;
  requirement: Requirement;
  /** The requirement in words, as `describeRequirement` writes it. */
  needs: string;
  /** Whether the field is marked `@public`, so that it has no requirement on purpose. */
  isPublic: boolean;
}

/** Describes a requirement, such as `role a or b; scope x and y, or z`. An empty requirement is `nothing`. */
export function describeRequirement(requirement: Requirement): string {
  if (requirement.length === 0) return 'nothing';
  return requirement.flatMap(describeRule).join('; ') || 'sign-in';
}

/** Lists every field of the schema's object and interface types, in the order of the schema. */
export function explainSchema(schema: GraphQLSchema, accessRules: AccessRules): FieldExplanation[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) || isInterfaceType(type))
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) =>
      Object.keys(type.getFields()).map((fieldName) => {
        const requirement = accessRules.forField(type, fieldName);
        return {
          coordinate: `${type.name}.${fieldName}`,
          requirement,
          needs: describeRequirement(requirement),
          isPublic: accessRules.isPublic(type, fieldName),
        };
      }),
    );
}

function describeRule({ roles, scopes, policies, maxAge }: Rule): string[] {
  return [
    roles && `role ${roles.join(' or ')}`,
    scopes && `scope ${describeSets(scopes)}`,
    policies && `policy ${describeSets(policies)}`,
    maxAge !== undefined && `sign-in within ${maxAge} s`,
  ].filter((part) => typeof part === 'string');
}

function describeSets(sets: readonly (readonly string[])[]): string {
  return sets.map((set) => set.join(' and ')).join(', or ');
}
