// Builds dist for publishing: compiles src, makes the command executable, and builds the GraphiQL page.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildGraphiql } from './build-graphiql.js';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(join('node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (status !== 0) process.exit(status ?? 1);
chmodSync('dist/cli.js', 0o755);
if (!buildGraphiql()) process.exit(1);
