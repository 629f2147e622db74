// Bad input gets a clear answer: what Yoga would call an unexpected error, or answer with too much, is put right.
import { type ExecutionArgs, GraphQLError, getOperationAST, getVariableValues, print } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Answers 400 to what is not a request, names bad variables, and repeats nothing of what was sent. */
export function useClearRefusals(): Plugin {
  return {
    onExecute: refuseBadVariables,
    onSubscribe: refuseBadVariables,
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          const params = await requestParser(request);
          // Lists are batches, which Yoga refuses, and what has a status is an answer already.
          if (Array.isArray(params) || 'status' in params || params.query != null) return params;
          throw badRequest('Must provide query string.');
        } catch (error) {
          if (error instanceof SyntaxError) throw badRequest('variables and extensions must be JSON.');
          // Yoga repeats the JSON parser's message, which quotes the body: a password may stand there.
          if (error instanceof GraphQLError && error.extensions.originalError !== undefined) {
            throw badRequest(error.message);
          }
          throw error;
        }
      });
    },
  };
}

interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

function refuseBadVariables({ args, setResultAndStopExecution }: ExecutionHook): void {
  const errors = findVariableFaults(args);
  if (errors.length > 0) setResultAndStopExecution({ errors });
}

/** Names the variables that do not fit; the executor would quote their values, and a password may be one. */
export function findVariableFaults({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError[] {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  return definitions.flatMap((node) => {
    const faults = getVariableValues(schema, [node], variableValues ?? {}).errors;
    if (faults === undefined) return [];
    const name = node.variable.name.value;
    // Where in the value, and nothing of the value itself.
    const places = faults.flatMap(
      ({ message }) => /^Variable "\$\w+" has invalid value at ([.\w[\]]+):/.exec(message)?.[1] ?? [],
    );
    const where = places.length > 0 ? `; look at ${places.join(', ')}` : '';
    return new GraphQLError(`Variable "$${name}" must be given as ${print(node.type)}${where}.`, {
      nodes: [node],
      extensions: { code: 'BAD_USER_INPUT', http: { status: 400, spec: true } },
    });
  });
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}
