// One request is one request: so many root fields under as many aliases are refused.
import {
  type DocumentNode,
  type ExecutionArgs,
  type FragmentDefinitionNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

const MAX_ROOT_FIELDS = 100;

/** Answers 400 to an operation with more than 100 root fields, fragments counted wherever they are spread. */
export function useRootFieldLimit(): Plugin {
  const counts = new WeakMap<DocumentNode, Map<OperationDefinitionNode, number>>();

  function refuseTooMany({ args, setResultAndStopExecution }: ExecutionHook): void {
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return;
    const ofDocument = counts.get(args.document) ?? new Map<OperationDefinitionNode, number>();
    counts.set(args.document, ofDocument);
    const count = ofDocument.get(operation) ?? countRootFields(args.document, operation);
    ofDocument.set(operation, count);
    if (count <= MAX_ROOT_FIELDS) return;
    const error = new GraphQLError(`The operation has more than ${MAX_ROOT_FIELDS} root fields.`, {
      extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
    });
    setResultAndStopExecution({ errors: [error] });
  }

  return { onExecute: refuseTooMany, onSubscribe: refuseTooMany };
}

interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

/** Whether the operation has more root fields than one request may ask for. */
export function hasTooManyRootFields(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  return countRootFields(document, operation) > MAX_ROOT_FIELDS;
}

function countRootFields(document: DocumentNode, operation: OperationDefinitionNode): number {
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  // Each fragment is counted once: spread within each other they multiply.
  const known = new Map<SelectionSetNode, number>();
  const countIn = (selectionSet: SelectionSetNode): number => {
    const already = known.get(selectionSet);
    if (already !== undefined) return already;
    let count = 0;
    for (const selection of selectionSet.selections) {
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (selection.kind === Kind.FIELD) count += 1;
      else if (fragment?.selectionSet) count += countIn(fragment.selectionSet);
    }
    known.set(selectionSet, count);
    return count;
  };
  return countIn(operation.selectionSet);
}
