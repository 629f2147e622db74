// Documents of operations: texts, parsed documents, and documents with types.
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
import { type DocumentNode, print } from 'graphql';

/** A GraphQL document. Generated `TypedDocumentNode` and `TypedDocumentString` determine the types of data and variables. */
export type TestDocument<Data, Variables> =
  | string
  | DocumentNode
  | (DocumentTypeDecoration<Data, Variables> & { toString(): string });

/** Data of a document without types: a test may read any field. */
// biome-ignore lint/suspicious/noExplicitAny: the types of the data are unknown
export type Anything = any;

/** Arguments of `execute` after the document: variables, required if the document requires some, and the operation name. */
export type ExecuteArguments<Variables> =
  Record<string, never> extends Variables
    ? [variables?: Variables, operationName?: string]
    : [variables: Variables, operationName?: string];

/** Creates a function that converts a document to text, and prints each parsed document only once. */
export function createDocumentPrinter(): (document: TestDocument<Anything, Anything>) => string {
  const printed = new WeakMap<object, string>();
  return (document) => {
    if (typeof document === 'string' || !('kind' in document)) return String(document);
    const text = printed.get(document) ?? print(document);
    printed.set(document, text);
    return text;
  };
}
