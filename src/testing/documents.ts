// What can be executed: a text, a parsed document, or one that brings its types along.
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
import { type DocumentNode, print } from 'graphql';

/** `TypedDocumentNode` and `TypedDocumentString`, as code generators write them, say what the data and variables are. */
export type TestDocument<Data, Variables> =
  | string
  | DocumentNode
  | (DocumentTypeDecoration<Data, Variables> & { toString(): string });

/** Without types of its own a document gives whatever a test looks for. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the schema answers
export type Anything = any;

/** Variables must be given where the document says that it has some that must. */
export type ExecuteRest<Variables> =
  Record<string, never> extends Variables
    ? [variables?: Variables, operationName?: string]
    : [variables: Variables, operationName?: string];

/** Gives the text that a client would send; a parsed document is printed once. */
export function createTexts(): (document: TestDocument<Anything, Anything>) => string {
  const printed = new WeakMap<object, string>();
  return (document) => {
    if (typeof document === 'string' || !('kind' in document)) return String(document);
    const text = printed.get(document) ?? print(document);
    printed.set(document, text);
    return text;
  };
}
