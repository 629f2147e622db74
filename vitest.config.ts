import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Node loads the sources as `npm start` does; Vite's own resolution would load a second copy of graphql.
    experimental: { viteModuleRunner: false },
  },
});
