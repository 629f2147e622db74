// Gives each schema its own copy of a document, since some executors cache compiled operations by document alone.
import { type DocumentNode, type GraphQLSchema, Kind } from 'graphql';

export interface Documents {
  /** @returns the copy of a document for a schema: always the same object, and never that of another schema */
  documentFor(schema: GraphQLSchema, document: DocumentNode): DocumentNode;
  /** @returns the document from which a copy was made; any other document as it is */
  originalOf(document: DocumentNode): DocumentNode;
}

/** @param isOriginal whether operations on the schema use the document itself instead of a copy */
export function createDocuments(isOriginal: (schema: GraphQLSchema) => boolean): Documents {
  // Weak maps: the copies live as long as their document.
  const copies = new WeakMap<DocumentNode, WeakMap<GraphQLSchema, DocumentNode>>();
  const originals = new WeakMap<DocumentNode, DocumentNode>();
  const originalOf = (document: DocumentNode) => originals.get(document) ?? document;

  return {
    originalOf,
    documentFor(schema, documentOrCopy) {
      const document = originalOf(documentOrCopy);
      if (isOriginal(schema)) return document;
      let bySchema = copies.get(document);
      if (bySchema === undefined) {
        bySchema = new WeakMap();
        copies.set(document, bySchema);
      }
      const existing = bySchema.get(schema);
      if (existing !== undefined) return existing;
      // Copies the operations as well: some executors use them as the key.
      const definitions = document.definitions.map((definition) =>
        definition.kind === Kind.OPERATION_DEFINITION ? { ...definition } : definition,
      );
      const copy = { ...document, definitions };
      bySchema.set(schema, copy);
      originals.set(copy, document);
      return copy;
    },
  };
}
