// bandha keys list
import type { SigningKeyRow } from '../storage/store.ts';
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';
import { writeTable } from './write-table.ts';

/** Prints the keys in the order in which they sign: the retired ones, the current one, the next. */
export async function keysList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const keys = await withStore(terminal, (store) => store.listSigningKeys());
  const signsFrom = ({ currentSince }: SigningKeyRow) => currentSince?.getTime() ?? Infinity;
  const show = (date: Date | undefined) => date?.toISOString() ?? '-';
  writeTable(terminal, [
    ['KEY', 'ALGORITHM', 'STATUS', 'PUBLISHED', 'SIGNS SINCE', 'RETIRED'],
    ...keys
      .toSorted((one, other) => signsFrom(one) - signsFrom(other))
      .map(({ kid, algorithm, status, createdAt, currentSince, retiredAt }) => [
        kid,
        algorithm,
        status,
        show(createdAt),
        show(currentSince),
        show(retiredAt),
      ]),
  ]);
}
