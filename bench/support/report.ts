// Prints results, and writes them into documents between markers of the form `<!-- bench NAME -->`.
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Cell, formatTable } from './table.ts';

export interface Report {
  say(paragraph: string): void;
  table(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Everything so far, as Markdown. */
  text(): string;
}

export interface Goal {
  what: string;
  goal: string;
  figure: string;
  isMet: boolean;
}

const ROOT = resolve(import.meta.dirname, '../..');
const README = 'bench/README.md';
const GOALS_HEAD = '| what | goal | measured | |\n| --- | --- | --- | --- |';
/** End of the row of a goal that is not met. */
const MISSED = ' **not met** |';

export function createReport(): Report {
  const paragraphs: string[] = [];
  const say = (paragraph: string) => {
    paragraphs.push(paragraph);
    console.log(`${paragraph}\n`);
  };
  return {
    say,
    table: (title, columns, rows) => say(formatTable(title, columns, rows)),
    text: () => paragraphs.join('\n\n'),
  };
}

/**
 * @param document path in the checkout
 * @throws Error if it has no such section
 */
export async function writeSection(document: string, name: string, content: string): Promise<void> {
  const { text, from, to } = await findSection(document, name);
  await writeFile(resolve(ROOT, document), text.slice(0, from) + content + text.slice(to));
}

export function formatGoals(goals: readonly Goal[]): string {
  return [GOALS_HEAD, ...goals.map(formatGoal)].join('\n');
}

/** Updates the rows of these goals in README.md; other rows stay. Missed goals have a section of their own. */
export async function writeGoals(goals: readonly Goal[]): Promise<void> {
  const rows: string[] = [];
  for (const name of ['goals', 'missed goals']) {
    const { text, from, to } = await findSection(README, name);
    const lines = text.slice(from, to).split('\n');
    rows.push(...lines.filter((line) => line.startsWith('| ') && !GOALS_HEAD.includes(line)));
  }
  for (const goal of goals) {
    const found = rows.findIndex((row) => row.startsWith(`| ${goal.what} | `));
    rows.splice(found < 0 ? rows.length : found, found < 0 ? 0 : 1, formatGoal(goal));
  }
  const missed = rows.filter((row) => row.endsWith(MISSED));
  const met = rows.filter((row) => !row.endsWith(MISSED));
  await writeSection(README, 'goals', [GOALS_HEAD, ...met].join('\n'));
  await writeSection(
    README,
    'missed goals',
    missed.length === 0 ? 'None.' : [GOALS_HEAD, ...missed].join('\n'),
  );
}

function formatGoal({ what, goal, figure, isMet }: Goal): string {
  return `| ${what} | ${goal} | ${figure} |${isMet ? ' met |' : MISSED}`;
}

async function findSection(document: string, name: string) {
  const [begin, end] = [`<!-- bench ${name} -->\n`, `\n<!-- end of bench ${name} -->`];
  const text = await readFile(resolve(ROOT, document), 'utf8');
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from - 1);
  if (from < begin.length || to < from) throw new Error(`${document} has no section "${name}"`);
  return { text, from, to };
}
