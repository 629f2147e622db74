// Builds the page: index.html, and beside it the folder that the server offers at /graphiql/.
import { createHash } from 'node:crypto';
import { defineConfig, type Plugin } from 'vite';

/** Makes files of the fonts that stylesheets have inside: a browser fetches those of the letters that it shows. */
function fontFiles(): Plugin {
  const embedded = /url\(["']?data:font\/(woff2?|ttf);base64,([^"')]+)["']?\)/g;
  return {
    name: 'font-files',
    generateBundle(_, bundle) {
      for (const sheet of Object.values(bundle)) {
        if (sheet.type !== 'asset' || !sheet.fileName.endsWith('.css')) continue;
        sheet.source = String(sheet.source).replaceAll(embedded, (_, extension: string, base64: string) => {
          const source = Buffer.from(base64, 'base64');
          const name = `font-${createHash('sha256').update(source).digest('hex').slice(0, 12)}.${extension}`;
          this.emitFile({ type: 'asset', fileName: `graphiql/${name}`, source });
          return `url(${name})`; // in the same folder as the stylesheet
        });
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page also works behind a proxy that puts a path before it.
  base: './',
  plugins: [fontFiles()],
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
