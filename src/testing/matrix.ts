// Tables of access decisions for snapshots. No resolver runs.

import { type GraphQLSchema, parse, validate } from 'graphql';
import { explainSchema } from '../authorization/explain.ts';
import { createGuard, type Guard } from '../authorization/guard.ts';
import type { GuardOptions } from '../authorization/guard-options.ts';
import type { Authentication } from '../tokens/authenticate.ts';
import { formatTable } from '../utils/text-table.ts';
import type { PrincipalSpec } from './create-principal.ts';
import { type Anything, createDocumentPrinter, type TestDocument } from './documents.ts';
import { decideField, decideOperation } from './matrix-cells.ts';
import type { TestUser } from './test-user.ts';

/** An operation of the table. Without variables, a decision that depends on them is `depends`. */
export type MatrixOperation =
  | TestDocument<Anything, Anything>
  | { document: TestDocument<Anything, Anything>; variables?: object; operationName?: string };

/** A caller of the table; null: an anonymous caller. */
export type MatrixPrincipal = PrincipalSpec | TestUser | null;

/** Access decisions as Markdown tables with one column for each principal, in the given order. No resolver runs. */
export interface Matrices {
  /**
   * Creates a table with one row for each operation. A cell is `allowed`, the reasons of the denial, or `depends`: the decision
   * depends on the objects of an interface or union, or on variables that are missing, with or without default. Policies are
   * evaluated with the operation's arguments.
   *
   * @throws TypeError if an operation is not valid for the schema
   * @example expect(await kit.matrix({ payroll: '{ payroll }' }, { anonymous: null, admin: { roles: ['admin'] } })).toMatchSnapshot()
   */
  matrix(
    operations: Readonly<Record<string, MatrixOperation>>,
    principals: Readonly<Record<string, MatrixPrincipal>>,
  ): Promise<string>;
  /**
   * Creates a table with one row for each field of the schema. A cell is `allowed`, the reason of the denial, or `depends`: the
   * decision depends on the objects of an interface or union, or on a policy; policies are not evaluated.
   *
   * @example expect(kit.fieldMatrix({ anonymous: null, admin: { roles: ['admin'] } })).toMatchSnapshot()
   */
  fieldMatrix(principals: Readonly<Record<string, MatrixPrincipal>>): string;
}

export interface MatrixDeps {
  /** The schema without checks in its resolvers. */
  original: GraphQLSchema;
  guard: Guard;
  guardOptions: GuardOptions;
  createContext(caller: Authentication): object | Promise<object>;
  toCaller(principal: MatrixPrincipal): Authentication;
  now: () => Date;
}

export function createMatrices(deps: MatrixDeps): Matrices {
  const { original, createContext, toCaller, now } = deps;
  const printDocument = createDocumentPrinter();
  const guard = createRejectingGuard(deps);

  function parseOperation(operation: MatrixOperation) {
    const isDocument = typeof operation === 'string' || !('document' in operation);
    const { document, variables = {}, operationName } = isDocument ? { document: operation } : operation;
    const parsed = parse(printDocument(document));
    const [error] = validate(original, parsed);
    if (error !== undefined) throw error;
    return { document: parsed, operationName, variables: JSON.parse(JSON.stringify(variables)) };
  }

  async function decide(operation: MatrixOperation, caller: Authentication): Promise<string> {
    const { principal, problem: tokenProblem } = caller;
    const contextValue = { ...(await createContext(caller)), principal, tokenProblem };
    return decideOperation(guard, original, { ...parseOperation(operation), contextValue });
  }

  async function createRow(name: string, operation: MatrixOperation, callers: readonly Authentication[]) {
    try {
      return [name, ...(await Promise.all(callers.map((caller) => decide(operation, caller))))];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new TypeError(`matrix: operation ${name}: ${message}`, { cause: error });
    }
  }

  return {
    async matrix(operations, principals) {
      const callers = Object.values(principals).map(toCaller);
      const rows = Object.entries(operations).map(([name, operation]) => createRow(name, operation, callers));
      return formatTable(['operation', ...Object.keys(principals)], await Promise.all(rows), 'markdown');
    },
    fieldMatrix(principals) {
      const enforcedSchema = guard.protect(original);
      const callers = Object.values(principals)
        .map(toCaller)
        .map(({ principal, problem: tokenProblem }) => ({ principal, tokenProblem, now }));
      const rows = explainSchema(original, enforcedSchema.accessRules).map(({ coordinate }) => [
        coordinate,
        ...callers.map((caller) => decideField(enforcedSchema, coordinate, caller)),
      ]);
      return formatTable(['field', ...Object.keys(principals)], rows, 'markdown');
    },
  };
}

/** Creates a guard that rejects denied operations, also if the kit's guard reports denials or returns null. */
function createRejectingGuard({ guard, guardOptions }: MatrixDeps): Guard {
  const { onDenied = 'reject', reportOnly = false } = guardOptions;
  if (onDenied === 'reject' && !reportOnly) return guard;
  return createGuard({ ...guardOptions, onDenied: 'reject', reportOnly: false });
}
