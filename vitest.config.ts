import { defineConfig } from 'vitest/config';

/** `npx vitest run --project unit`; CONTRIBUTING.md says what belongs to which. */
const PROJECTS = ['unit', 'integration', 'browser', 'cluster'];

export default defineConfig({
  test: {
    projects: PROJECTS.map((name) => ({
      extends: true,
      test: { name, include: [`test/${name}/**/*.test.ts`] },
    })),
    // Most of the time goes to servers and databases in processes of their own, also on a machine with two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Node loads the sources as `npm start` does; Vite's own resolution would load a second copy of graphql.
    experimental: { viteModuleRunner: false },
  },
});
