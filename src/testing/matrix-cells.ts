// Decides one cell of a matrix: whether a caller may read a field, or run an operation. No resolver runs.
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
import { resolveConditions } from './resolve-conditions.ts';

export interface OperationInput {
  document: DocumentNode;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  /** Contains the principal. */
  contextValue: unknown;
}

/**
 * Decides a field from the schema alone.
 * @param coordinate of a field, such as `Query.payroll`
 * @returns `allowed`, the reason of the denial, or `depends`: on a policy, or on the object of an abstract type
 */
export function decideField(
  { original, accessRules, policyEvaluator }: EnforcedSchema,
  coordinate: string,
  caller: Caller,
): string {
  const { unconditional, perObject } = findRequirements(original, accessRules, coordinate);
  const denial = checkRequirement(unconditional, caller);
  if (denial !== undefined) return denial.reason;
  const isMet = (requirement: Requirement) =>
    checkRequirement(requirement, caller) === undefined && !policyEvaluator.usesPolicies(requirement);
  return [unconditional, ...perObject].every(isMet) ? 'allowed' : 'depends';
}

/**
 * Decides an operation without executing it.
 * @param guard rejects denied operations; not in `reportOnly` mode
 * @returns `allowed`, the reasons of the denial, or `depends`, also if another value of a missing variable may change the decision
 */
export async function decideOperation(
  guard: Guard,
  original: GraphQLSchema,
  input: OperationInput,
): Promise<string> {
  const { minimum, maximum } = resolveConditions(input.document, input.variables);
  const decision = await decideResolved(guard, original, { ...input, document: maximum });
  // A caller who may run everything may run a part of it. Denials for the same reasons at both ends hold in between.
  if (decision === 'allowed' || minimum === maximum) return decision;
  const minimumDecision = await decideResolved(guard, original, { ...input, document: minimum });
  return minimumDecision === decision ? decision : 'depends';
}

/** Finds the requirement of a field, and those that depend on the object: its type, or the type that it returns. */
function findRequirements(schema: GraphQLSchema, accessRules: AccessRules, coordinate: string) {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined || !(isObjectType(type) || isInterfaceType(type))) {
    throw new TypeError(`${coordinate} is not a field of the schema`);
  }
  const returned = getNamedType(field.type);
  return {
    unconditional: accessRules.forField(type, fieldName),
    perObject: [
      ...(isAbstractType(type) ? [accessRules.forAny(schema.getPossibleTypes(type), fieldName)] : []),
      ...(isAbstractType(returned) ? [accessRules.forAny(schema.getPossibleTypes(returned))] : []),
    ],
  };
}

/** Decides a document whose conditions are resolved. */
async function decideResolved(
  guard: Guard,
  original: GraphQLSchema,
  { document, operationName, variables, contextValue }: OperationInput,
): Promise<string> {
  const { enforced, accessRules, policyEvaluator } = guard.protect(original);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new TypeError('the document has several operations; set operationName');
  const plan = planOperation(original, accessRules, document, operation);
  const args: ExecutionArgs = {
    schema: original,
    document,
    operationName,
    variableValues: variables,
    contextValue,
  };
  const decision = await guard.decide(args);
  const undecidedPaths = findUndecidedPaths(plan, policyEvaluator, variables);
  if ('result' in decision) {
    const denials = (decision.result.errors ?? []).filter(
      ({ path, extensions }) => extensions.reason !== 'POLICY_DENIED' || !undecidedPaths.has(path?.join('.')),
    );
    const reasons = denials.map(({ extensions }) => extensions.reason ?? extensions.code);
    return [...new Set(reasons)].join(', ') || 'depends';
  }
  if (undecidedPaths.size > 0) return 'depends';
  if (decision.schema !== enforced) return 'allowed';
  // The guard has allowed every unconditional requirement, including policies whose arguments are known.
  const { errors } = getVariableValues(original, operation.variableDefinitions ?? [], variables);
  const hasLatePolicy = plan.unconditional.some(
    ({ requirement, fields }) =>
      policyEvaluator.usesPolicies(requirement) && fields.some((field) => !isEvaluatedEarly(plan, field)),
  );
  const isDecided =
    errors === undefined && plan.listsEveryField && !hasLatePolicy && !usesAbstractTypes(original, document);
  return isDecided ? 'allowed' : 'depends';
}

/** Finds the paths of fields with policies whose arguments use missing variables. */
function findUndecidedPaths(
  { unconditional }: Plan,
  policyEvaluator: PolicyEvaluator,
  variables: Record<string, unknown>,
): ReadonlySet<string | undefined> {
  const fields = unconditional.flatMap((group) =>
    policyEvaluator.usesPolicies(group.requirement) ? group.fields : [],
  );
  return new Set(
    fields
      .filter(({ node }) => usesMissingVariable(node, variables))
      .map(({ path }) => toPathArray(path).join('.')),
  );
}

function usesMissingVariable(
  { arguments: args = [] }: FieldNode,
  variables: Record<string, unknown>,
): boolean {
  let isMissing = false;
  for (const argument of args) {
    visit(argument, {
      Variable({ name }) {
        isMissing ||= !Object.hasOwn(variables, name.value);
      },
    });
  }
  return isMissing;
}

function usesAbstractTypes(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let isUsed = false;
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Field() {
        isUsed ||= isAbstractType(getNamedType(typeInfo.getType()));
      },
    }),
  );
  return isUsed;
}
