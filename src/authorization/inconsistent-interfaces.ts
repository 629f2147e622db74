// Finds interface fields whose implementations have different requirements: often intended, sometimes an oversight.
import { type GraphQLSchema, isInterfaceType } from 'graphql';
import type { AccessRules } from './access-rules.ts';
import { describeRequirement } from './explain.ts';

/** A field of an interface with different requirements in its implementations. */
export interface InconsistentField {
  /** The field's schema coordinate, such as `Node.id`. */
  coordinate: string;
  /** The requirement of each implementation in words, by coordinate, such as `{ 'User.id': 'sign-in' }`. */
  needs: Readonly<Record<string, string>>;
}

export function findInconsistentInterfaces(
  schema: GraphQLSchema,
  accessRules: AccessRules,
): InconsistentField[] {
  return Object.values(schema.getTypeMap())
    .filter(isInterfaceType)
    .flatMap((type) =>
      Object.keys(type.getFields()).map((fieldName) => ({
        coordinate: `${type.name}.${fieldName}`,
        needs: Object.fromEntries(
          schema
            .getPossibleTypes(type)
            .map((object) => [
              `${object.name}.${fieldName}`,
              describeRequirement(accessRules.forField(object, fieldName)),
            ]),
        ),
      })),
    )
    .filter(({ needs }) => new Set(Object.values(needs)).size > 1);
}
