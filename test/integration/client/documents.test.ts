// Typed documents of Bandha's own operations.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildSchema, Kind, parse, print, validate } from 'graphql';
import { expect, it } from 'vitest';
import * as documents from '../../../src/client/documents.generated.ts';
import { withFolder } from '../../support/server-process.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const GENERATED = join(ROOT, 'src/client/documents.generated.ts');
const run = promisify(execFile);

it('documents.generated.ts is the current output of `npm run generate`', async () => {
  await withFolder(async (folder) => {
    const output = join(folder, 'documents.generated.ts');
    await run(process.execPath, [join(ROOT, 'scripts/generate-documents.js'), output]);
    expect(await readFile(output, 'utf8')).toBe(await readFile(GENERATED, 'utf8'));
  });
});

it('every query and mutation of the schema has a valid document', async () => {
  const schema = buildSchema(await readFile(join(ROOT, 'schema.graphql'), 'utf8'));
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.keys(type?.getFields() ?? {}),
  );
  const operations = Object.entries(documents).filter(([name]) => name.endsWith('Document'));
  const covered = operations.map(([, document]) => {
    // Printed and parsed as when it is sent, because the generated document has no source locations.
    const sent = parse(print(document));
    expect(validate(schema, sent)).toEqual([]);
    const [operation] = sent.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const [field] =
      operation && 'selectionSet' in operation ? (operation.selectionSet?.selections ?? []) : [];
    return field && 'name' in field ? field.name.value : undefined;
  });
  expect(covered.toSorted()).toEqual(fields.toSorted());
});
