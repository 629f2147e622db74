// Prints the size of each browser entry, minified and gzipped, without peer dependencies.
// Exits with code 1 if one is over the limit.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const LIMIT_BYTES = 4_096;
const ENTRIES = {
  client: 'index.ts',
  apollo: 'apollo.ts',
  urql: 'urql.ts',
  documents: 'documents.generated.ts',
};
const clientFolder = join(import.meta.dirname, '..', 'src', 'client');

for (const [entry, file] of Object.entries(ENTRIES)) {
  const bytes = gzipSync(await bundle(join(clientFolder, file)), { level: 9 }).length;
  const isOver = bytes > LIMIT_BYTES;
  console.log(
    `bandha/${entry.padEnd(9)} ${String(bytes).padStart(5)} bytes gzipped${isOver ? `, over ${LIMIT_BYTES}` : ''}`,
  );
  if (isOver) process.exitCode = 1;
}

async function bundle(entry) {
  const [{ output }] = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: true,
      lib: { entry, formats: ['es'] },
      // Packages are peer dependencies.
      rolldownOptions: { external: (id) => !/^[./]|^\w:|^\0/.test(id), output: { minify: true } },
    },
  });
  return output
    .filter(({ type }) => type === 'chunk')
    .map(({ code }) => code)
    .join('\n');
}
