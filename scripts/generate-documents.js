// Generates typed documents of Bandha's own operations with GraphQL Code Generator.
// Writes src/client/documents.generated.ts, or the file given as argument.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const root = join(import.meta.dirname, '..');
const [, , filename = join(root, 'src/client/documents.generated.ts')] = process.argv;
const read = (file) => parse(readFileSync(join(root, file), 'utf8'), { noLocation: true });

const code = await codegen({
  schema: read('schema.graphql'),
  documents: [{ location: 'documents.graphql', document: read('src/client/documents.graphql') }],
  filename,
  config: {
    scalars: { ID: 'string', DateTime: 'string' },
    strictScalars: true,
    useTypeImports: true,
    enumType: 'const',
  },
  plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
  pluginMap: { typescriptOperations, typedDocumentNode },
});

writeFileSync(
  filename,
  `// Typed documents of Bandha's own operations. Package entry \`bandha/documents\`.
// Generated from documents.graphql by \`npm run generate\`; the casts are the generator's: JSON to the document it stands for.
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// biome-ignore-all assist: generated
${code.trim()}
`,
);
