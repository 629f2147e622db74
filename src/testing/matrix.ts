// Who may do what, as a table for a snapshot: decisions alone, no resolver runs.
import { type GraphQLSchema, parse, validate } from 'graphql';
import { explainSchema } from '../authorization/explain.ts';
import { createGuard, type Guard } from '../authorization/guard.ts';
import type { GuardOptions } from '../authorization/guard-options.ts';
import type { Authentication } from '../tokens/authenticate.ts';
import { type Anything, createTexts, type TestDocument } from './documents.ts';
import type { PrincipalSpec } from './make-principal.ts';
import { decideField, decideOperation } from './matrix-cells.ts';
import type { TestUser } from './test-user.ts';
import { formatTable } from './write-table.ts';

/** An operation of the table; without its variables, what depends on them reads `depends`. */
export type MatrixOperation =
  | TestDocument<Anything, Anything>
  | { document: TestDocument<Anything, Anything>; variables?: object; operationName?: string };

/** Somebody of the table; null is an anonymous caller. */
export type MatrixPrincipal = PrincipalSpec | TestUser | null;

/** Who may do what, as a Markdown table with a column a principal, in the order given. No resolver runs. */
export interface Matrices {
  /**
   * A row an operation. A cell is `allowed`, the reasons of the refusal, or `depends`: on the objects behind an interface or
   * union, or on variables that were not given, defaults or not. Policies are asked, with the operation's arguments.
   * @throws TypeError where an operation does not fit the schema
   */
  matrix(
    operations: Readonly<Record<string, MatrixOperation>>,
    principals: Readonly<Record<string, MatrixPrincipal>>,
  ): Promise<string>;
  /**
   * A row a field, every one of the schema. A cell is `allowed`, the reason of the denial, or `depends`: on the objects behind
   * an interface or union, or on a policy; here nobody asks it.
   */
  fieldMatrix(principals: Readonly<Record<string, MatrixPrincipal>>): string;
}

export interface MatrixDeps {
  /** Without a wall. */
  original: GraphQLSchema;
  guard: Guard;
  guardOptions: GuardOptions;
  contextOf(caller: Authentication): object | Promise<object>;
  callerOf(principal: MatrixPrincipal): Authentication;
  now: () => Date;
}

export function createMatrices(deps: MatrixDeps): Matrices {
  const { original, contextOf, callerOf, now } = deps;
  const textOf = createTexts();
  const guard = rejectingGuard(deps);

  function parseOperation(operation: MatrixOperation) {
    const isAlone = typeof operation === 'string' || !('document' in operation);
    const { document: given, variables = {}, operationName } = isAlone ? { document: operation } : operation;
    const document = parse(textOf(given));
    const [issue] = validate(original, document);
    if (issue !== undefined) throw issue;
    return { document, operationName, variables: JSON.parse(JSON.stringify(variables)) };
  }

  async function decide(operation: MatrixOperation, caller: Authentication): Promise<string> {
    const { principal, problem: tokenProblem } = caller;
    const contextValue = { ...(await contextOf(caller)), principal, tokenProblem };
    return decideOperation(guard, original, { ...parseOperation(operation), contextValue });
  }

  async function rowOf(name: string, operation: MatrixOperation, callers: readonly Authentication[]) {
    try {
      return [name, ...(await Promise.all(callers.map((caller) => decide(operation, caller))))];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new TypeError(`The operation ${name} of the matrix: ${message}`, { cause: error });
    }
  }

  return {
    async matrix(operations, principals) {
      const callers = Object.values(principals).map(callerOf);
      const rows = Object.entries(operations).map(([name, one]) => rowOf(name, one, callers));
      return formatTable(['operation', ...Object.keys(principals)], await Promise.all(rows));
    },
    fieldMatrix(principals) {
      const protectedSchema = guard.protect(original);
      const callers = Object.values(principals)
        .map(callerOf)
        .map(({ principal, problem: tokenProblem }) => ({ principal, tokenProblem, now }));
      const rows = explainSchema(original, protectedSchema.accessRules).map(({ coordinate }) => [
        coordinate,
        ...callers.map((caller) => decideField(protectedSchema, coordinate, caller)),
      ]);
      return formatTable(['field', ...Object.keys(principals)], rows);
    },
  };
}

/** What would be refused is the question, also where a report or nulls are the answer. */
function rejectingGuard({ guard, guardOptions }: MatrixDeps): Guard {
  const { onDenied = 'reject', reportOnly: report = false } = guardOptions;
  if (onDenied === 'reject' && !report) return guard;
  return createGuard({ ...guardOptions, onDenied: 'reject', reportOnly: false });
}
