// Documents that would cost more than they ask for are refused before they are read, or read without their lines.
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Brackets of all kinds; a query that somebody writes has twenty. */
const MAX_DEPTH = 200;
/** Names, brackets, values; a field takes one to a few. */
const MAX_TOKENS = 10_000;
/** In a longer document errors have no line: finding one costs as much as all the lines before it, for every error. */
const MAX_LOCATED_LINES = 1_000;

/** Answers 400 to documents with more than 10,000 tokens, or 200 brackets within each other. */
export function useDocumentLimits(): Plugin {
  return {
    onParse({ params, setParseFn, parseFn }) {
      setParseFn((source, options) => {
        const lines = countLines(params.source);
        return parseFn(source, lines > MAX_LOCATED_LINES ? { ...options, noLocation: true } : options);
      });
    },
  };
}

/** @throws GraphQLError where there is too much of it, or the text is no GraphQL */
function countLines(source: string | Source): number {
  const lexer = new Lexer(typeof source === 'string' ? new Source(source) : source);
  let depth = 0;
  let tokens = 0;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    if (OPENING.has(token.kind)) depth += 1;
    if (CLOSING.has(token.kind)) depth -= 1;
    tokens += 1;
    if (depth > MAX_DEPTH) throw tooMuch(`${MAX_DEPTH} brackets within each other`);
    if (tokens > MAX_TOKENS) throw tooMuch(`${MAX_TOKENS} tokens`);
  }
  return lexer.token.line;
}

function tooMuch(what: string): GraphQLError {
  return new GraphQLError(`The document has more than ${what}.`, {
    extensions: { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400, spec: true } },
  });
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
