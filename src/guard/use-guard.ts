// The guard as a plugin: refuses before execution what the operation certainly may not have, and walls the rest.
import {
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { useAnswers } from '../answers.ts';
import { toGraphQLError } from '../errors.ts';
import { checkRequirement } from './check-requirement.ts';
import { isSelected, type PlannedCheck, planOperation, withDefaults } from './plan-operation.ts';
import { callerOf, protectSchema } from './protect-schema.ts';

export interface GuardOptions {
  /**
   * `reject` (default): the operation does not begin, and the answer has no `data`. `null`: a denied field is null with
   * an error of its own, everything else is delivered.
   */
  onDenied?: 'reject' | 'null';
  /** The clock that `maxAge` is measured by. */
  now?: () => Date;
}

/**
 * Protects a schema by its `@auth` directives on any Yoga server; reads `context.principal`, and `context.tokenProblem`
 * for the reason, as `useBandha` sets them.
 */
export function useGuard({ onDenied = 'reject', now = () => new Date() }: GuardOptions = {}): Plugin {
  const plans = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Map<string, PlannedCheck[]>>>();

  function planFor({ schema, document, operationName }: ExecutionArgs): PlannedCheck[] {
    const ofSchema = plans.get(schema) ?? new WeakMap<DocumentNode, Map<string, PlannedCheck[]>>();
    plans.set(schema, ofSchema);
    const ofDocument = ofSchema.get(document) ?? new Map<string, PlannedCheck[]>();
    ofSchema.set(document, ofDocument);
    const name = operationName ?? '';
    const plan =
      ofDocument.get(name) ??
      planOperation(schema, protectSchema(schema, now).rulebook, document, operationName);
    ofDocument.set(name, plan);
    return plan;
  }

  function refusalsOf(args: ExecutionArgs): GraphQLError[] {
    const caller = callerOf(args.contextValue, now());
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return [];
    const variables = withDefaults(operation, args.variableValues ?? {});
    return planFor(args).flatMap((check) => {
      const refusal = checkRequirement(check.requirement, caller, check.coordinate);
      if (refusal === undefined || !isSelected(check, variables)) return [];
      return [toGraphQLError(refusal, { nodes: [check.node], path: check.path }, true)];
    });
  }

  function refuseEarly({ args, setResultAndStopExecution }: ExecutionHook): void {
    if (onDenied === 'null') return;
    const errors = refusalsOf(args);
    if (errors.length > 0) setResultAndStopExecution({ errors });
  }

  return {
    onPluginInit: ({ addPlugin }) => addPlugin(useAnswers({ setsStatus: onDenied === 'reject' })),
    onSchemaChange({ schema, replaceSchema }) {
      const { walled } = protectSchema(schema, now);
      if (walled !== schema) replaceSchema(walled);
    },
    onExecute: refuseEarly,
    onSubscribe: refuseEarly,
  };
}

/** What the hooks for execution and subscription have in common. */
interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}
