// CONTRIBUTING says what each dependency is for.
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
const isListed = packagesOf('CONTRIBUTING.md');

it.each(Object.keys({ ...dependencies, ...peerDependencies }))('CONTRIBUTING has a line for %s', (name) => {
  expect(isListed(name)).toBe(true);
});

it.each(Object.keys(devDependencies))('CONTRIBUTING has a line for %s, which development needs', (name) => {
  expect(isListed(name)).toBe(true);
});
