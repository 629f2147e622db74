// Reports invalid input clearly: replaces errors that Yoga would mask as unexpected, or that would repeat the input.
import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  getVariableValues,
  print,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { AuthError, toGraphQLError } from '../../errors.ts';
import { NO_QUERY_MESSAGE } from '../yoga-internals.ts';

const NOT_SUPPORTED = 'PERSISTED_QUERY_NOT_SUPPORTED';

/** Maximum number of errors, as in validation: locating each error in the text takes time proportional to the text before it. */
const MAX_VARIABLE_ERRORS = 100;
/** Maximum number of issues per variable: graphql-js writes the whole value, or the object around it, into the message of each. */
const COERCION = { maxErrors: 10, hideSuggestions: true };
/** Maximum length of a path within a value, in characters. Longer paths are omitted. */
const MAX_PATH_LENGTH = 200;
/** Matches the path in a message of graphql-js. */
const INVALID_PATH = /^Variable "\$\w+" has invalid value at ([.\w[\]]+):/;

/**
 * Rejects a request without a query with 400, or with `PERSISTED_QUERY_NOT_SUPPORTED` if it has the hash of a query and no
 * plugin provides the text. Names invalid variables without repeating their values.
 */
export function useInputErrors(): Plugin {
  /** Requests with the hash of a persisted query and without its text. */
  const hashed = new WeakSet<Request>();

  function clarify(result: ExecutionResult, request: Request): ExecutionResult {
    if (!result.errors?.some(({ message }) => message === NO_QUERY_MESSAGE)) return result;
    const replaceError = (error: GraphQLError) => {
      if (error.message !== NO_QUERY_MESSAGE) return error;
      return hashed.has(request)
        ? toGraphQLError(new AuthError(NOT_SUPPORTED), {}, true)
        : badRequest(NO_QUERY_MESSAGE);
    };
    return { ...result, errors: result.errors.map(replaceError) };
  }

  return {
    onExecute: rejectInvalidVariables,
    onSubscribe: rejectInvalidVariables,
    onParams({ params, request }) {
      if (params?.query == null && params?.extensions?.persistedQuery != null) hashed.add(request);
    },
    onResultProcess({ result, request, setResult }) {
      if (isAsyncIterable(result)) return;
      if (Array.isArray(result)) setResult(result.map((one) => clarify(one, request)));
      else if (result.errors !== undefined) setResult(clarify(result, request));
    },
  };
}

interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

function rejectInvalidVariables({ args, setResultAndStopExecution }: ExecutionHook): void {
  const errors = findVariableErrors(args);
  if (errors.length > 0) setResultAndStopExecution({ errors });
}

/** Finds invalid variables. The executor would report them with their values, which may be passwords. */
export function findVariableErrors({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError[] {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const errors: GraphQLError[] = [];
  for (const node of definitions) {
    if (errors.length >= MAX_VARIABLE_ERRORS) break;
    const issues = getVariableValues(schema, [node], variableValues ?? {}, COERCION).errors;
    if (issues === undefined) continue;
    const name = node.variable.name.value;
    // The path within the value is safe to repeat; the value is not.
    const paths = issues
      .flatMap(({ message }) => INVALID_PATH.exec(message)?.[1] ?? [])
      .filter((path) => path.length <= MAX_PATH_LENGTH);
    const hint = paths.length > 0 ? `; invalid at ${paths.join(', ')}` : '';
    errors.push(
      new GraphQLError(`Variable "$${name}" must be of type ${print(node.type)}${hint}.`, {
        nodes: [node],
        extensions: { code: 'BAD_USER_INPUT', http: { status: 400, spec: true } },
      }),
    );
  }
  return errors;
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}
