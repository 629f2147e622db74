import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Most of the time goes to servers and databases in processes of their own, also on a machine with two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Node loads the sources as `npm start` does; Vite's own resolution would load a second copy of graphql.
    experimental: { viteModuleRunner: false },
  },
});
