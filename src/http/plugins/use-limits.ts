// Applies the operation limits: to the text of a document before it is parsed, and to its cost before it runs.
import { type ExecutionArgs, GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { FindExceededLimit, ResolvedLimits } from '../limits/operation-limits.ts';

/** Maximum number of lines for errors with locations: for every error, graphql-js scans all lines before it. */
const MAX_LOCATED_LINES = 1_000;

/** Rejects documents and operations beyond the limits. It precedes plugins that do work for an operation. */
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

/**
 * Counts the lines of a document.
 * @throws GraphQLError `GRAPHQL_PARSE_FAILED` if it has too many tokens or nested brackets, or is not GraphQL
 */
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
