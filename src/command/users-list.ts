// bandha users list
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

export async function usersList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const users = await withStore(terminal, (store) => store.listUsers());
  const rows = [
    ['EMAIL', 'ROLES', 'REGISTERED', 'STATE'],
    ...users.map(({ email, roles, createdAt, disabledAt }) => [
      email,
      roles.join(',') || '-',
      createdAt.toISOString(),
      disabledAt ? `disabled ${disabledAt.toISOString()}` : 'active',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    terminal.stdout.write(`${line.trimEnd()}\n`);
  }
}
