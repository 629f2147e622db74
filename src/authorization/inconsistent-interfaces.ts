// Interface fields whose implementations demand different things: often meant, sometimes an oversight.
import { type GraphQLSchema, isInterfaceType } from 'graphql';
import type { AccessRules } from './access-rules.ts';
import { describeRequirement } from './explain.ts';

/** One sentence for each such field. */
export function findInconsistentInterfaces(schema: GraphQLSchema, accessRules: AccessRules): string[] {
  return Object.values(schema.getTypeMap())
    .filter(isInterfaceType)
    .flatMap((type) =>
      Object.keys(type.getFields()).flatMap((fieldName) => {
        const demands = schema
          .getPossibleTypes(type)
          .map((object) => ({ object, needs: describeRequirement(accessRules.forField(object, fieldName)) }));
        if (new Set(demands.map(({ needs }) => needs)).size < 2) return [];
        const list = demands
          .map(({ object, needs }) => `${object.name}.${fieldName} needs ${needs}`)
          .join(', ');
        return [`The implementations of ${type.name}.${fieldName} disagree: ${list}`];
      }),
    );
}
