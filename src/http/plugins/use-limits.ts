// The limits of operations as a plugin: of the document's text before it is parsed, of its cost before it runs.
import { type ExecutionArgs, GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { FindExceededLimit, ResolvedLimits } from '../limits/operation-limits.ts';

/** In a longer document errors have no line: finding one costs as much as all the lines before it, for every error. */
const MAX_LOCATED_LINES = 1_000;

/** Answers 400 to documents and operations above the limits. It comes before plugins that do work for an operation. */
export function useLimits(limits: ResolvedLimits, findExceededLimit: FindExceededLimit): Plugin {
  function rejectTooCostly({ args, setResultAndStopExecution }: ExecutionHook): void {
    const error = findExceededLimit(args.schema, args.document, args.operationName);
    if (error !== undefined) setResultAndStopExecution({ errors: [error] });
  }

  return {
    onParse({ params, setParseFn, parseFn }) {
      setParseFn((source, options) => {
        const lines = countLines(params.source, limits);
        return parseFn(source, lines > MAX_LOCATED_LINES ? { ...options, noLocation: true } : options);
      });
    },
    onExecute: rejectTooCostly,
    onSubscribe: rejectTooCostly,
  };
}

interface ExecutionHook {
  args: ExecutionArgs;
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

/** @throws GraphQLError `GRAPHQL_PARSE_FAILED` if there are too many tokens or brackets, or the text is not GraphQL */
function countLines(source: string | Source, { maxTokens, maxDepth }: ResolvedLimits): number {
  const lexer = new Lexer(typeof source === 'string' ? new Source(source) : source);
  let depth = 0;
  let tokens = 0;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    if (OPENING.has(token.kind)) depth += 1;
    if (CLOSING.has(token.kind)) depth -= 1;
    tokens += 1;
    if (depth > maxDepth) throw limitExceeded(`${maxDepth} brackets within each other`);
    if (tokens > maxTokens) throw limitExceeded(`${maxTokens} tokens`);
  }
  return lexer.token.line;
}

function limitExceeded(what: string): GraphQLError {
  return new GraphQLError(`The document has more than ${what}.`, {
    extensions: { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400, spec: true } },
  });
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
