// Runs `npm ci` if node_modules does not match package-lock.json.
// Runs on the system's Node (20 or later) before anything is installed, so it is JavaScript without dependencies.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MINIMUM_NODE = 24;

const reason = findMismatch();
if (reason !== undefined) {
  console.error(`Installing dependencies (${reason}). The first time takes a minute.`);
  // Through a shell, because npm is a script on Windows.
  const install = spawnSync('npm ci --include=dev --no-audit --no-fund --loglevel=error', {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: true,
  });
  if (install.status !== 0) {
    console.error('npm ci failed; see the errors above. Check that the npm registry is reachable.');
    process.exit(1);
  }
  const remaining = findMismatch();
  if (remaining !== undefined) {
    console.error(`npm ci finished, but ${remaining}.`);
    process.exit(1);
  }
}

/** Returns the first reason to install, or undefined. */
function findMismatch() {
  const required = readPackages('package-lock.json');
  const installed = readPackages(join('node_modules', '.package-lock.json'));
  if (required === undefined) return 'package-lock.json is missing';
  if (installed === undefined) return 'node_modules is missing or incomplete';
  for (const [path, entry] of Object.entries(required)) {
    // The Node in node_modules may be another version (`npm i --no-save node@24`); its version is checked below.
    if (path === '' || path === 'node_modules/node' || entry.optional || entry.peer) continue;
    const found = installed[path]?.version;
    if (found !== entry.version) {
      return `${path.replace('node_modules/', '')} is ${found ?? 'missing'}, required is ${entry.version}`;
    }
  }
  const version = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).stdout;
  const major = Number(/^v(\d+)\./.exec(version ?? '')?.[1]);
  return major >= MINIMUM_NODE
    ? undefined
    : `Node in node_modules is ${version?.trim() || 'missing'}, required is ${MINIMUM_NODE} or later`;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
