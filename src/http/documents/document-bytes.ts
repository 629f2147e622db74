// Bytes that a parsed document retains, estimated from its nodes: the worst documents take 300 bytes a character, ordinary
// ones 80. The figures are upper bounds of what Node 26 and graphql 17 take; test/integration/http/document-bytes.test.ts measures them.
import { type DocumentNode, GraphQLError } from 'graphql';

/** A node and its `loc`. */
const NODE_BYTES = 175;
/** A token in the list that `loc` points into, without its text. */
const TOKEN_BYTES = 105;
const ARRAY_BYTES = 80;
/** Strings that are longer than some ten characters share the text of the document. */
const STRING_BYTES = 24;
/** A `GraphQLError` without its stack, its nodes and its source. */
const ERROR_BYTES = 2_000;

/** Bytes of the document and its tokens, without the text that it was parsed from. */
export function documentBytes(document: DocumentNode): number {
  let bytes = 0;
  const pending: object[] = [document];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    bytes += NODE_BYTES;
    for (const key in node) {
      if (key === 'loc' || key === 'kind') continue;
      const value: unknown = (node as Record<string, unknown>)[key]; // a key of its own: nodes are plain objects
      if (typeof value === 'string') bytes += STRING_BYTES + (value.length > 12 ? 0 : value.length);
      else if (Array.isArray(value)) {
        bytes += ARRAY_BYTES;
        for (const item of value) if (isObject(item)) pending.push(item);
      } else if (isObject(value)) pending.push(value);
    }
  }
  for (let token = document.loc?.startToken; token != null; token = token.next ?? undefined) {
    bytes += TOKEN_BYTES;
  }
  return bytes;
}

/** Bytes of errors whose nodes belong to a document that is counted already. */
export function errorBytes(errors: readonly Error[]): number {
  return errors.reduce((sum, { message }) => sum + ERROR_BYTES + 2 * message.length, ARRAY_BYTES);
}

/**
 * Makes an error fit to be kept: its stack retains the functions that were running, with the lexer and the state of the
 * validation, some 30 kB an error.
 */
export function dropStack(error: Error): void {
  if (error instanceof GraphQLError) error.stack = `${error.name}: ${error.message}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
