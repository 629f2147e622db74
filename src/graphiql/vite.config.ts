// Builds the page: index.html, and beside it the folder that the server offers at /graphiql/.
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page also works behind a proxy that puts a path before it.
  base: './',
  resolve: { dedupe: ['graphql', 'react', 'react-dom'] },
  build: {
    outDir: '../../dist/graphiql',
    assetsDir: 'graphiql',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    // What is bundled is passed on with its licences.
    license: { fileName: 'licenses.md' },
    // GraphiQL tells the console of each worker that it starts.
    rolldownOptions: { treeshake: { manualPureFunctions: ['console.info'] } },
    // The editor alone is larger than what Vite warns of.
    chunkSizeWarningLimit: 5_000,
  },
});
