// Installs the contenders' packages in a tree of their own, if they are missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

export const CONTENDERS_FOLDER = resolve(import.meta.dirname, '../contenders');
const PACKAGE_JSON = join(CONTENDERS_FOLDER, 'package.json');

export function installContenders(): void {
  if (existsSync(join(CONTENDERS_FOLDER, 'node_modules'))) return;
  console.error('Installing the contenders (npm ci in bench/contenders)');
  // Runs npm with the Node of this process: some packages reject the older one that may be installed.
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? ['npm'] : [process.execPath, npm];
  const { status } = spawnSync(command[0] ?? '', [...command.slice(1), 'ci'], {
    cwd: CONTENDERS_FOLDER,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('npm ci in bench/contenders failed');
}

/** Loads a module from that tree. */
export function requireContender<T>(name: string): T {
  return createRequire(PACKAGE_JSON)(name);
}

/** @returns for example `jose 6.2.17` */
export function versionsOf(names: readonly string[]): string[] {
  const { dependencies } = JSON.parse(readFileSync(PACKAGE_JSON, 'utf8'));
  return names.map((name) => `${name} ${dependencies[name]}`);
}
