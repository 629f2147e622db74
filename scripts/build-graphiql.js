// Builds the GraphiQL page from src/graphiql to dist/graphiql, with a digest of its sources.
// Runs on the system's Node (20 or later); Vite runs on the Node in node_modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outputFolder = join(root, 'dist', 'graphiql');
const DIGEST_FILE = 'built-from.txt';
const SOURCES = ['src/graphiql', 'src/client', 'package-lock.json', 'scripts/build-graphiql.js'];

/** Whether dist/graphiql was built from the current sources. */
export function isBuilt() {
  try {
    return readFileSync(join(outputFolder, DIGEST_FILE), 'utf8') === digestSources();
  } catch {
    return false;
  }
}

/**
 * Builds in a temporary folder and renames it at the end, so that an interrupted build leaves no partial output and concurrent
 * builds do not mix.
 * @returns whether the build succeeded
 */
export function buildGraphiql() {
  const name = `graphiql-${process.pid}`;
  const temporaryFolder = join(root, 'dist', name);
  const digest = digestSources();
  mkdirSync(temporaryFolder, { recursive: true });
  try {
    const vite = join('node_modules', 'vite', 'bin', 'vite.js');
    const { status } = spawnSync(
      join('node_modules', '.bin', 'node'),
      [vite, 'build', 'src/graphiql', '--outDir', `../../dist/${name}`, '--logLevel', 'error'],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' },
    );
    if (status !== 0) return false;
    for (const file of listFiles(join(temporaryFolder, 'graphiql'))) {
      if (/\.(js|css|svg|ttf)$/.test(file)) writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    }
    writeFileSync(join(temporaryFolder, DIGEST_FILE), digest);
    replaceOutput(temporaryFolder);
    return true;
  } finally {
    rmSync(temporaryFolder, { recursive: true, force: true });
  }
}

function replaceOutput(temporaryFolder) {
  try {
    rmSync(outputFolder, { recursive: true, force: true });
    renameSync(temporaryFolder, outputFolder);
  } catch (error) {
    // A concurrent build has finished first; its output is valid if it has the same sources.
    if (!isBuilt()) throw error;
  }
}

function digestSources() {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(root, source);
    const files = statSync(path).isDirectory() ? listFiles(path) : [path];
    for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file));
  }
  return hash.digest('hex');
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(buildGraphiql() ? 0 : 1);
