// One cell of the matrix: whether a caller may have a field, as far as the schema alone can tell.
import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { AccessRules } from '../authorization/access-rules.ts';
import { type Caller, checkRequirement } from '../authorization/check-requirement.ts';
import type { EnforcedSchema } from '../authorization/enforce-schema.ts';
import type { Guard } from '../authorization/guard.ts';
import { type Plan, planOperation, toPathArray } from '../authorization/operation-plan.ts';
import { isEvaluatedEarly, type PolicyEvaluator } from '../authorization/policies.ts';
import type { Requirement } from '../authorization/requirement.ts';
import { withoutConditions } from './resolve-conditions.ts';

/**
 * `allowed`, the reason of the denial, or `depends`: on a policy, or on the object that stands behind an abstract type.
 * @param coordinate of a field, such as `Query.payroll`
 */
export function decideField(
  { original, accessRules, policyEvaluator: policyBook }: EnforcedSchema,
  coordinate: string,
  caller: Caller,
): string {
  const { certain, perObject } = requirementsOf(original, accessRules, coordinate);
  const denial = checkRequirement(certain, caller);
  if (denial !== undefined) return denial.reason;
  const isOpen = (one: Requirement) =>
    checkRequirement(one, caller) === undefined && !policyBook.usesPolicies(one);
  return [certain, ...perObject].every(isOpen) ? 'allowed' : 'depends';
}

/** What the field demands, and what some of the objects do that it stands in or returns. */
function requirementsOf(schema: GraphQLSchema, accessRules: AccessRules, coordinate: string) {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined || !(isObjectType(type) || isInterfaceType(type))) {
    throw new TypeError(`${coordinate} is no field of the schema`);
  }
  const returned = getNamedType(field.type);
  return {
    certain: accessRules.forField(type, fieldName),
    perObject: [
      ...(isAbstractType(type) ? [accessRules.forAny(schema.getPossibleTypes(type), fieldName)] : []),
      ...(isAbstractType(returned) ? [accessRules.forAny(schema.getPossibleTypes(returned))] : []),
    ],
  };
}

// One cell of the matrix: whether an operation begins, found out without running it.

export interface OperationInput {
  document: DocumentNode;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  /** With the principal. */
  contextValue: unknown;
}

/**
 * `allowed`, the reasons of the refusal, or `depends`, also where another value of a variable that is not given may
 * have another answer.
 * @param guard refuses whole operations, and reports nothing
 */
export async function decideOperation(
  guard: Guard,
  original: GraphQLSchema,
  question: OperationInput,
): Promise<string> {
  const { minimum: atLeast, maximum: atMost } = withoutConditions(question.document, question.variables);
  const most = await decideSelected(guard, original, { ...question, document: atMost });
  // Who may have everything may have a part of it; whoever is refused a part for the same reasons is refused them all.
  if (most === 'allowed' || atLeast === atMost) return most;
  const least = await decideSelected(guard, original, { ...question, document: atLeast });
  return least === most ? most : 'depends';
}

/** Decides a document without conditions. */
async function decideSelected(
  guard: Guard,
  original: GraphQLSchema,
  { document, operationName, variables, contextValue }: OperationInput,
): Promise<string> {
  const { enforced, accessRules, policyEvaluator: policyBook } = guard.protect(original);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new TypeError('has several operations: name one as operationName');
  const plan = planOperation(original, accessRules, document, operation);
  const args: ExecutionArgs = {
    schema: original,
    document,
    operationName,
    variableValues: variables,
    contextValue,
  };
  const decision = await guard.decide(args);
  const open = openPaths(plan, policyBook, variables);
  if ('result' in decision) {
    const certain = (decision.result.errors ?? []).filter(
      ({ path, extensions }) => extensions.reason !== 'POLICY_DENIED' || !open.has(path?.join('.')),
    );
    const reasons = certain.map(({ extensions }) => extensions.reason ?? extensions.code);
    return [...new Set(reasons)].join(', ') || 'depends';
  }
  if (open.size > 0) return 'depends';
  if (decision.schema !== enforced) return 'allowed';
  // Everything certain has been granted, policies included, where their arguments are known.
  const { errors } = getVariableValues(original, operation.variableDefinitions ?? [], variables);
  const isLate = plan.unconditional.some(
    ({ requirement, fields: places }) =>
      policyBook.usesPolicies(requirement) && places.some((place) => !isEvaluatedEarly(plan, place)),
  );
  const isDecided =
    errors === undefined && plan.listsEveryField && !isLate && !usesAbstractTypes(original, document);
  return isDecided ? 'allowed' : 'depends';
}

/** Where a policy is asked about arguments that a variable has a say in which is not given. */
function openPaths(
  { unconditional: certain }: Plan,
  policyBook: PolicyEvaluator,
  variables: Record<string, unknown>,
): ReadonlySet<string | undefined> {
  const places = certain.flatMap((group) => (policyBook.usesPolicies(group.requirement) ? group.fields : []));
  return new Set(
    places.filter(({ node }) => isOpen(node, variables)).map(({ path }) => toPathArray(path).join('.')),
  );
}

function isOpen({ arguments: args = [] }: FieldNode, variables: Record<string, unknown>): boolean {
  let found = false;
  for (const argument of args) {
    visit(argument, {
      Variable({ name }) {
        found ||= !Object.hasOwn(variables, name.value);
      },
    });
  }
  return found;
}

function usesAbstractTypes(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let meets = false;
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Field() {
        meets ||= isAbstractType(getNamedType(typeInfo.getType()));
      },
    }),
  );
  return meets;
}
