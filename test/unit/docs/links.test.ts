// Relative links and anchors resolve, pages have a readable length, and the index lists them.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isGenerated,
  type Link,
  listPages,
  ROOT,
  readAnchors,
  readLinks,
  readPage,
} from '../../support/docs/pages.ts';

const pages = listPages();
const grouped = pages.filter((page) => /^docs\/(guide|concepts|reference|operations)\//.test(page));
const linesOf = (page: string) => readPage(page).trimEnd().split('\n').length;
const isExternal = ({ target }: Link) => /^[a-z][a-z+.-]*:/i.test(target);
const anchorsOf = new Map<string, Set<string>>();

function findIssue({ page, target }: Link): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), decodeURIComponent(path));
  if (file.startsWith('..') || !existsSync(join(ROOT, file))) return 'no such file';
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  const anchors = anchorsOf.get(file) ?? readAnchors(file);
  anchorsOf.set(file, anchors);
  return anchors.has(anchor) ? undefined : 'no such anchor';
}

describe('links', () => {
  it.each(pages)('relative links and anchors resolve: %s', (page) => {
    const issues = readLinks(page)
      .filter((link) => !isExternal(link))
      .flatMap((link) => {
        const issue = findIssue(link);
        return issue === undefined ? [] : [`${page}:${link.line}: ${link.target}: ${issue}`];
      });
    expect(issues).toEqual([]);
  });

  it('links are found, and broken ones reported', () => {
    expect(readLinks('README.md').length).toBeGreaterThan(5);
    expect(findIssue({ page: 'README.md', line: 1, target: 'docs/nothing.md' })).toBe('no such file');
    expect(findIssue({ page: 'README.md', line: 1, target: 'CONTRIBUTING.md#nothing' })).toBe(
      'no such anchor',
    );
  });

  it('docs/README.md links every page of docs', () => {
    const linked = readLinks('docs/README.md').map(({ target }) => join('docs', target.split('#')[0] ?? ''));
    expect(grouped.filter((page) => !linked.includes(page))).toEqual([]);
  });
});

describe('lengths', () => {
  it('README.md has at most 180 lines', () => {
    expect(linesOf('README.md')).toBeLessThanOrEqual(180);
  });

  it('each page of docs has 60 to 200 lines, unless it is generated', () => {
    const issues = grouped
      .filter((page) => !isGenerated(page))
      .map((page) => [page, linesOf(page)] as const)
      .filter(([, lines]) => lines < 60 || lines > 200);
    expect(issues).toEqual([]);
  });
});
