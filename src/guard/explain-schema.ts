// What every field of a schema needs, as rows for people and programs.
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import { describeRequirement } from './describe-requirement.ts';
import type { Rulebook } from './rulebook.ts';
import type { Requirement } from './rules.ts';

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
export function explainSchema(schema: GraphQLSchema, rulebook: Rulebook): FieldExplanation[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
    .flatMap((type) =>
      isObjectType(type) || isInterfaceType(type)
        ? Object.keys(type.getFields()).map((fieldName) => {
            const requirement = rulebook.ofField(type, fieldName);
            return {
              coordinate: `${type.name}.${fieldName}`,
              requirement,
              needs: describeRequirement(requirement),
              isPublic: rulebook.isPublic(type, fieldName),
            };
          })
        : [],
    );
}
