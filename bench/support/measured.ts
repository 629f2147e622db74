// What one bench measures and another one reckons with.
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

const pathOf = (name: string) => resolve(import.meta.dirname, '../capacity/measured', `${name}.json`);

export async function saveMeasured(name: string, figures: object): Promise<void> {
  const rounded = JSON.stringify(
    figures,
    (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value),
    2,
  );
  await writeFile(pathOf(name), `${rounded}\n`);
}

export async function loadMeasured<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(pathOf(name), 'utf8'));
}
