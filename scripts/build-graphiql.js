// Builds GraphiQL's page from src/graphiql to dist/graphiql, and notes there what it was built from.
// Runs on whatever Node the machine has (20 or later); Vite runs on the checkout's own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const built = join(root, 'dist', 'graphiql');
const NOTE = 'built-from.txt';
const SOURCES = ['src/graphiql', 'src/client', 'package-lock.json', 'scripts/build-graphiql.js'];

/** Whether dist/graphiql holds what the sources give. */
export function isBuilt() {
  try {
    return readFileSync(join(built, NOTE), 'utf8') === digestSources();
  } catch {
    return false;
  }
}

/**
 * Builds beside the place and then takes the place at once, so that a build that is broken off leaves nothing half done,
 * and two at the same time do not mix.
 * @returns whether it was built
 */
export function buildGraphiql() {
  const name = `graphiql-${process.pid}`;
  const draft = join(root, 'dist', name);
  const digest = digestSources();
  mkdirSync(draft, { recursive: true });
  try {
    const vite = join('node_modules', 'vite', 'bin', 'vite.js');
    const { status } = spawnSync(
      join('node_modules', '.bin', 'node'),
      [vite, 'build', 'src/graphiql', '--outDir', `../../dist/${name}`, '--logLevel', 'error'],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' },
    );
    if (status !== 0) return false;
    for (const file of filesIn(join(draft, 'graphiql'))) {
      if (/\.(js|css|svg|ttf)$/.test(file)) writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    }
    writeFileSync(join(draft, NOTE), digest);
    takePlace(draft);
    return true;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function takePlace(draft) {
  try {
    rmSync(built, { recursive: true, force: true });
    renameSync(draft, built);
  } catch (error) {
    // Another build was quicker; what it has put there is as good, if it is of the same sources.
    if (!isBuilt()) throw error;
  }
}

function digestSources() {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(root, source);
    const files = statSync(path).isDirectory() ? filesIn(path) : [path];
    for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(buildGraphiql() ? 0 : 1);
