// What the examples have in common: React, and this checkout's sources in the place of the package `bandha`.
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';

const checkout = join(import.meta.dirname, '..');

/** What the pages are made of; the server's secret and its database are in the checkout too. */
const SERVED = ['examples', 'src/client', 'node_modules'];
const source = (file: string) => join(checkout, 'src/client', file);

/** An app of one's own installs the package instead, and needs neither the alias nor access to folders beside it. */
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
    server: { port, fs: { allow: SERVED.map((folder) => join(checkout, folder)) } },
  };
}
