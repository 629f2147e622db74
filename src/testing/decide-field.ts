// One cell of the matrix: whether a caller may have a field, as far as the schema alone can tell.
import { type GraphQLSchema, getNamedType, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import type { Rulebook } from '../authorization/access-rules.ts';
import { type Caller, checkRequirement } from '../authorization/check-requirement.ts';
import type { Requirement } from '../authorization/directives.ts';
import type { ProtectedSchema } from '../authorization/enforce-schema.ts';

/**
 * `allowed`, the reason of the denial, or `depends`: on a policy, or on the object that stands behind an abstract type.
 * @param coordinate of a field, such as `Query.payroll`
 */
export function decideField(
  { plain, rulebook, policyBook }: ProtectedSchema,
  coordinate: string,
  caller: Caller,
): string {
  const { certain, perObject } = requirementsOf(plain, rulebook, coordinate);
  const denial = checkRequirement(certain, caller);
  if (denial !== undefined) return denial.reason;
  const isOpen = (one: Requirement) =>
    checkRequirement(one, caller) === undefined && !policyBook.concerns(one);
  return [certain, ...perObject].every(isOpen) ? 'allowed' : 'depends';
}

/** What the field demands, and what some of the objects do that it stands in or returns. */
function requirementsOf(schema: GraphQLSchema, rulebook: Rulebook, coordinate: string) {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined || !(isObjectType(type) || isInterfaceType(type))) {
    throw new TypeError(`${coordinate} is no field of the schema`);
  }
  const returned = getNamedType(field.type);
  return {
    certain: rulebook.ofField(type, fieldName),
    perObject: [
      ...(isAbstractType(type) ? [rulebook.ofAny(schema.getPossibleTypes(type), fieldName)] : []),
      ...(isAbstractType(returned) ? [rulebook.ofAny(schema.getPossibleTypes(returned))] : []),
    ],
  };
}
