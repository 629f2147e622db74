// A requirement in words, for people: descriptions, tables, warnings.

import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import type { AccessRules } from './access-rules.ts';
import type { Requirement, Rule } from './directives.ts';

/** Such as `role a or b; scopes x and y, or z`; an empty requirement is `nothing`. */
export function describeRequirement(requirement: Requirement): string {
  if (requirement.length === 0) return 'nothing';
  return requirement.flatMap(describeRule).join('; ') || 'sign-in';
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

// What every field of a schema needs, as rows for people and programs.

export interface FieldExplanation {
  /** Such as `Query.secureData`. */
  coordinate: string;
  requirement: Requirement;
  /** The requirement in words; `nothing` where there is none. */
  needs: string;
  /** Marked `@public`, so that having no requirement is no oversight. */
  isPublic: boolean;
}

/** One row a field, in the order of the schema. */
export function explainSchema(schema: GraphQLSchema, accessRules: AccessRules): FieldExplanation[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
    .flatMap((type) =>
      isObjectType(type) || isInterfaceType(type)
        ? Object.keys(type.getFields()).map((fieldName) => {
            const requirement = accessRules.forField(type, fieldName);
            return {
              coordinate: `${type.name}.${fieldName}`,
              requirement,
              needs: describeRequirement(requirement),
              isPublic: accessRules.isPublic(type, fieldName),
            };
          })
        : [],
    );
}
