// What was measured goes to the terminal, and between markers into bench/README.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Goal, Result } from './setup.ts';

const README = resolve(import.meta.dirname, '../README.md');
const PLOTS = resolve(import.meta.dirname, '../plots');
const GOALS_HEAD = '| what | goal | measured | |\n| --- | --- | --- | --- |';

export function formatGoals(goals: readonly Goal[]): string {
  return [GOALS_HEAD, ...goals.map(rowOf)].join('\n');
}

/** @param part the name of the section's markers */
export async function writeResult(part: string, { markdown, plots = {} }: Result): Promise<void> {
  await replaceSection(part, () => markdown);
  for (const [name, svg] of Object.entries(plots)) {
    await mkdir(PLOTS, { recursive: true });
    await writeFile(join(PLOTS, name), svg);
  }
}

/** Goals that were not looked at this time stay as they are. */
export async function writeGoals(goals: readonly Goal[]): Promise<void> {
  await replaceSection('goals', (before) => {
    const rows = before.split('\n').filter((row) => row.startsWith('| ') && !GOALS_HEAD.includes(row));
    for (const goal of goals) {
      const at = rows.findIndex((row) => row.startsWith(`| ${goal.what} | `));
      rows.splice(at < 0 ? rows.length : at, at < 0 ? 0 : 1, rowOf(goal));
    }
    return [GOALS_HEAD, ...rows].join('\n');
  });
}

function rowOf({ what, goal, figure, met }: Goal): string {
  return `| ${what} | ${goal} | ${figure} | ${met ? 'met' : '**not met**'} |`;
}

async function replaceSection(name: string, change: (before: string) => string): Promise<void> {
  const [begin, end] = [`<!-- bench ${name} -->\n`, `\n<!-- end of bench ${name} -->`];
  const readme = await readFile(README, 'utf8');
  const from = readme.indexOf(begin) + begin.length;
  const to = readme.indexOf(end, from - 1);
  if (from < begin.length || to < from) throw new Error(`bench/README.md has no section "${name}"`);
  await writeFile(README, readme.slice(0, from) + change(readme.slice(from, to)) + readme.slice(to));
}
