// Installs what package-lock.json asks for and node_modules lacks; does nothing when all is in place.
// Runs on whatever Node the machine has (20 or later), so it is plain JavaScript without dependencies.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = 24;

const reason = whatIsMissing();
if (reason !== undefined) {
  console.error(`Installing dependencies (${reason}). The first time takes a minute.`);
  // One command line through the shell, because on Windows npm is a script.
  const install = spawnSync('npm ci --include=dev --no-audit --no-fund --loglevel=error', {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: true,
  });
  if (install.status !== 0) {
    console.error('npm ci failed; see above. Is the npm registry reachable?');
    process.exit(1);
  }
  const still = whatIsMissing();
  if (still !== undefined) {
    console.error(`npm ci finished, but ${still}.`);
    process.exit(1);
  }
}

function whatIsMissing() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages(join('node_modules', '.package-lock.json'));
  if (wanted === undefined) return 'package-lock.json is missing';
  if (installed === undefined) return 'node_modules is missing or incomplete';
  for (const [path, entry] of Object.entries(wanted)) {
    // The checkout's own Node may be swapped for another one (`npm i --no-save node@24`); it is asked below.
    if (path === '' || path === 'node_modules/node' || entry.optional || entry.peer) continue;
    const found = installed[path]?.version;
    if (found !== entry.version) {
      return `${path.replace('node_modules/', '')} is ${found ?? 'missing'}, wanted is ${entry.version}`;
    }
  }
  const version = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).stdout;
  const major = Number(/^v(\d+)\./.exec(version ?? '')?.[1]);
  return major >= OLDEST_NODE ? undefined : `the checkout's own Node is ${version?.trim() || 'missing'}`;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
