// Builds the page: index.html, and the folder that the server serves at /graphiql/.
import { createHash } from 'node:crypto';
import { defineConfig, type Plugin } from 'vite';

/** Moves fonts embedded in style sheets to files, so that a browser fetches only those it needs. */
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
  // Relative, so that the page also works behind a proxy with a path prefix.
  base: './',
  plugins: [fontFiles()],
  resolve: { dedupe: ['graphql', 'react', 'react-dom'] },
  build: {
    outDir: '../../dist/graphiql',
    assetsDir: 'graphiql',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    // The bundle is distributed with the licenses of its packages.
    license: { fileName: 'licenses.md' },
    // Removes GraphiQL's console messages about started workers.
    rolldownOptions: { treeshake: { manualPureFunctions: ['console.info'] } },
    // The editor alone exceeds Vite's default limit.
    chunkSizeWarningLimit: 5_000,
  },
});
