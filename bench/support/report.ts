// What a bench says: printed as it goes, and put into documents between markers of the form `<!-- bench NAME -->`.
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Cell, formatTable } from './table.ts';

export interface Report {
  say(paragraph: string): void;
  table(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Everything so far, as Markdown. */
  text(): string;
}

const ROOT = resolve(import.meta.dirname, '../..');

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
 * @param document its path in the checkout
 * @throws Error where it has no such section
 */
export async function writeSection(document: string, name: string, text: string): Promise<void> {
  const path = resolve(ROOT, document);
  const [begin, end] = [`<!-- bench ${name} -->\n`, `\n<!-- end of bench ${name} -->`];
  const before = await readFile(path, 'utf8');
  const from = before.indexOf(begin) + begin.length;
  const to = before.indexOf(end, from - 1);
  if (from < begin.length || to < from) throw new Error(`${document} has no section "${name}"`);
  await writeFile(path, before.slice(0, from) + text + before.slice(to));
}
