// Estimates the bytes that a parsed document retains from its nodes: 80 bytes per character for ordinary documents, 300 for the
// worst. The constants are upper bounds for Node 26 and graphql 17, which test/integration/http/document-bytes.test.ts measures.
import { type DocumentNode, GraphQLError } from 'graphql';

/** A node and its `loc`. */
const NODE_BYTES = 175;
/** A token in the list that `loc` refers to, without its text. */
const TOKEN_BYTES = 105;
const ARRAY_BYTES = 80;
/** Header of a string. Strings longer than about ten characters share the text of the document. */
const STRING_BYTES = 24;
/** A `GraphQLError` without stack, nodes and source. */
const ERROR_BYTES = 2_000;

/** Bytes of the document and its tokens, without its text. */
export function documentBytes(document: DocumentNode): number {
  let bytes = 0;
  const pending: object[] = [document];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    bytes += NODE_BYTES;
    for (const key in node) {
      if (key === 'loc' || key === 'kind') continue;
      const value: unknown = (node as Record<string, unknown>)[key]; // nodes are plain objects
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

/** Bytes of errors, without their nodes: the document that contains them is counted already. */
export function errorBytes(errors: readonly Error[]): number {
  return errors.reduce((sum, { message }) => sum + ERROR_BYTES + 2 * message.length, ARRAY_BYTES);
}

/**
 * Removes the stack of an error before it is cached. The stack retains the functions that were running, with the lexer and
 * the state of the validation: about 30 kB per error.
 */
export function dropStack(error: Error): void {
  if (error instanceof GraphQLError) error.stack = `${error.name}: ${error.message}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
