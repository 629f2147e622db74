// README and CONTRIBUTING say what each dependency is for.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '../../..', file), 'utf8');
const { dependencies, devDependencies, peerDependencies } = JSON.parse(read('package.json'));

/** The packages of the first cells of a page's tables; `@types/*` stands for a whole scope. */
function packagesOf(page: string): (name: string) => boolean {
  const cells = read(page).match(/^\| [^|]+\|/gm) ?? [];
  const names = new Set(cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)));
  return (name) => names.has(name) || names.has(name.replace(/\/.*/, '/*'));
}
const inReadme = packagesOf('README.md');
const inContributing = packagesOf('CONTRIBUTING.md');

it.each(Object.keys({ ...dependencies, ...peerDependencies }))('the README has a line for %s', (name) => {
  expect(inReadme(name)).toBe(true);
});

it.each(Object.keys(devDependencies))('README or CONTRIBUTING has a line for %s', (name) => {
  expect(inReadme(name) || inContributing(name)).toBe(true);
});
