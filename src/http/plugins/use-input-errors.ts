// Bad input gets a clear answer: what Yoga would call an unexpected error, or answer with too much, is put right.
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

/** The message of Yoga's own check, which runs after every plugin that may complete the parameters. */
const NO_QUERY = 'Must provide query string.';

/**
 * Answers 400 to a request without a query, and `PERSISTED_QUERY_NOT_SUPPORTED` if it has the hash of one and no plugin knows
 * it; names invalid variables, and repeats nothing of what was sent.
 */
export function useInputErrors(): Plugin {
  /** Requests that came with a hash and without a text. */
  const hashed = new WeakSet<Request>();

  function clarify(result: ExecutionResult, request: Request): ExecutionResult {
    if (!result.errors?.some(({ message }) => message === NO_QUERY)) return result;
    const replaceError = (error: GraphQLError) => {
      if (error.message !== NO_QUERY) return error;
      return hashed.has(request)
        ? toGraphQLError(new AuthError(NOT_SUPPORTED), {}, true)
        : badRequest(NO_QUERY);
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

const NOT_SUPPORTED = 'PERSISTED_QUERY_NOT_SUPPORTED';

interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

function rejectInvalidVariables({ args, setResultAndStopExecution }: ExecutionHook): void {
  const errors = findVariableErrors(args);
  if (errors.length > 0) setResultAndStopExecution({ errors });
}

/** As many as validation reports; each one takes as long as reading the text before it. */
const MAX_VARIABLE_ERRORS = 100;
/** Mistakes that are looked for in one variable; graphql-js writes out the whole value, or what is around it, for each. */
const COERCION = { maxErrors: 10, hideSuggestions: true };
/** Of a place within a value; a longer one is left out. */
const MAX_PATH_LENGTH = 200;

const INVALID_PATH = /^Variable "\$\w+" has invalid value at ([.\w[\]]+):/;

/** Names the variables that do not fit; the executor would quote their values, and a password may be one. */
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
    // Where in the value, and nothing of the value itself.
    const paths = issues
      .flatMap(({ message }) => INVALID_PATH.exec(message)?.[1] ?? [])
      .filter((path) => path.length <= MAX_PATH_LENGTH);
    const hint = paths.length > 0 ? `; look at ${paths.join(', ')}` : '';
    errors.push(
      new GraphQLError(`Variable "$${name}" must be given as ${print(node.type)}${hint}.`, {
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
