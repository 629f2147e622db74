// One cell of the matrix: whether an operation begins, found out without running it.
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Guard } from '../guard/create-guard.ts';
import { planOperation } from '../guard/plan-operation.ts';

export interface OperationQuestion {
  document: DocumentNode;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  /** With the principal. */
  contextValue: unknown;
}

/** @param guard refuses whole operations, and reports nothing */
export async function decideOperation(
  guard: Guard,
  plain: GraphQLSchema,
  { document, operationName, variables, contextValue }: OperationQuestion,
): Promise<string> {
  const { walled, rulebook } = guard.protect(plain);
  const selected = withoutLeftOut(plain, document, operationName, variables);
  const args: ExecutionArgs = {
    schema: plain,
    document: selected ?? document,
    operationName,
    variableValues: variables,
    contextValue,
  };
  const operation = getOperationAST(args.document, operationName);
  if (!operation) throw new TypeError('has several operations: name one as operationName');
  const plan = planOperation(plain, rulebook, args.document, operation);
  const decision = await guard.decide(args);
  if ('answer' in decision) {
    // Without its variables nobody knows whether the operation selects what is denied.
    if (selected === undefined && plan.conditionVariables.length > 0) return 'depends';
    const reasons = (decision.answer.errors ?? []).map(
      ({ extensions }) => extensions.reason ?? extensions.code,
    );
    return [...new Set(reasons)].join(', ');
  }
  if (decision.schema !== walled) return 'allowed';
  // Everything certain has been granted, policies included, where their arguments are known.
  const isDecided = selected !== undefined && plan.isListed && !meetsAbstractTypes(plain, selected);
  return isDecided ? 'allowed' : 'depends';
}

/** The document without what `@skip` and `@include` leave out; undefined where the variables do not fit. */
function withoutLeftOut(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  variables: Record<string, unknown>,
): DocumentNode | undefined {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const { variableValues } = getVariableValues(schema, definitions, variables);
  if (variableValues === undefined) return undefined;
  const leaveOut = (node: SelectionNode) => {
    const isSkipped = getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if === true;
    const isIncluded = getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false;
    return isSkipped || !isIncluded ? null : undefined;
  };
  return visit(document, { Field: leaveOut, FragmentSpread: leaveOut, InlineFragment: leaveOut });
}

function meetsAbstractTypes(schema: GraphQLSchema, document: DocumentNode): boolean {
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
