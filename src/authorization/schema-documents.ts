// Copies of documents, one for each schema: executors that compile or cache by document must not mix up schemas.
import { type DocumentNode, type GraphQLSchema, Kind } from 'graphql';

export interface Documents {
  /** The document for a schema: the same object whenever both are the same, and never that of another schema. */
  documentFor(schema: GraphQLSchema, document: DocumentNode): DocumentNode;
  /** The document that a copy was made of; any other document as it is. */
  originalOf(document: DocumentNode): DocumentNode;
}

/** @param isOriginal whether operations run on the schema with the document as it was parsed */
export function createDocuments(isOriginal: (schema: GraphQLSchema) => boolean): Documents {
  // Kept as long as the document itself is.
  const copies = new WeakMap<DocumentNode, WeakMap<GraphQLSchema, DocumentNode>>();
  const originals = new WeakMap<DocumentNode, DocumentNode>();
  const originalOf = (document: DocumentNode) => originals.get(document) ?? document;

  return {
    originalOf,
    documentFor(schema, given) {
      const document = originalOf(given);
      if (isOriginal(schema)) return document;
      let bySchema = copies.get(document);
      if (bySchema === undefined) {
        bySchema = new WeakMap();
        copies.set(document, bySchema);
      }
      const known = bySchema.get(schema);
      if (known !== undefined) return known;
      // The operations too: some caches go by them.
      const definitions = document.definitions.map((one) =>
        one.kind === Kind.OPERATION_DEFINITION ? { ...one } : one,
      );
      const copy = { ...document, definitions };
      bySchema.set(schema, copy);
      originals.set(copy, document);
      return copy;
    },
  };
}
