// Prints results, and writes them between the markers of bench/README.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Goal, Result } from './setup.ts';

const README = resolve(import.meta.dirname, '../README.md');
const PLOTS = resolve(import.meta.dirname, '../plots');
/** The end of the row of a goal that is not met. */
const MISSED = ' **not met** |';
const GOALS_HEAD = '| what | goal | measured | |\n| --- | --- | --- | --- |';

export function formatGoals(goals: readonly Goal[]): string {
  return [GOALS_HEAD, ...goals.map(toRow)].join('\n');
}

/** @param part the name of the section's markers */
export async function writeResult(part: string, { markdown, plots = {} }: Result): Promise<void> {
  await writeSection(part, markdown);
  for (const [name, svg] of Object.entries(plots)) {
    await mkdir(PLOTS, { recursive: true });
    await writeFile(join(PLOTS, name), svg);
  }
}

/** Goals that were not measured this time keep their rows. Those that are missed have a section of their own. */
export async function writeGoals(goals: readonly Goal[]): Promise<void> {
  const isRow = (line: string) => line.startsWith('| ') && !GOALS_HEAD.includes(line);
  const rows = [...(await readSection('goals')), ...(await readSection('missed goals'))].filter(isRow);
  for (const goal of goals) {
    const at = rows.findIndex((row) => row.startsWith(`| ${goal.what} | `));
    rows.splice(at < 0 ? rows.length : at, at < 0 ? 0 : 1, toRow(goal));
  }
  const [missed, met] = [
    rows.filter((row) => row.endsWith(MISSED)),
    rows.filter((row) => !row.endsWith(MISSED)),
  ];
  await writeSection('goals', [GOALS_HEAD, ...met].join('\n'));
  await writeSection('missed goals', missed.length === 0 ? 'None.' : [GOALS_HEAD, ...missed].join('\n'));
}

function toRow({ what, goal, figure, met }: Goal): string {
  return `| ${what} | ${goal} | ${figure} |${met ? ' met |' : MISSED}`;
}

async function readSection(name: string): Promise<string[]> {
  const { text, from, to } = await findSection(name);
  return text.slice(from, to).split('\n');
}

async function writeSection(name: string, content: string): Promise<void> {
  const { text, from, to } = await findSection(name);
  await writeFile(README, text.slice(0, from) + content + text.slice(to));
}

async function findSection(name: string): Promise<{ text: string; from: number; to: number }> {
  const [begin, end] = [`<!-- bench ${name} -->\n`, `\n<!-- end of bench ${name} -->`];
  const text = await readFile(README, 'utf8');
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from - 1);
  if (from < begin.length || to < from) throw new Error(`bench/README.md has no section "${name}"`);
  return { text, from, to };
}
