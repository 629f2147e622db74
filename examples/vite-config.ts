// Shared Vite configuration: React, and the sources of this repository instead of the package `bandha`.
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';

const checkout = join(import.meta.dirname, '..');

/** The only folders that the dev server may serve: the server's secret and database are in the repository too. */
const SERVED_FOLDERS = ['examples', 'src/client', 'node_modules'];
const source = (file: string) => join(checkout, 'src/client', file);

/** Creates the configuration. Your own app installs the package and needs neither `alias` nor `server.fs`. */
export function configureExample(name: string, port: number): UserConfig {
  return {
    root: join(import.meta.dirname, name),
    cacheDir: join(checkout, 'node_modules/.vite', name),
    plugins: [react()],
    resolve: {
      alias: {
        'bandha/client': source('index.ts'),
        'bandha/apollo': source('apollo.ts'),
        'bandha/urql': source('urql.ts'),
        'bandha/documents': source('documents.generated.ts'),
      },
    },
    server: { port, fs: { allow: SERVED_FOLDERS.map((folder) => join(checkout, folder)) } },
  };
}
