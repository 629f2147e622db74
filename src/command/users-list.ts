// bandha users list
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';
import { writeTable } from './write-table.ts';

export async function usersList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const users = await withStore(terminal, (store) => store.listUsers());
  writeTable(terminal, [
    ['EMAIL', 'ROLES', 'REGISTERED', 'STATE'],
    ...users.map(({ email, roles, createdAt, disabledAt }) => [
      email,
      roles.join(',') || '-',
      createdAt.toISOString(),
      disabledAt ? `disabled ${disabledAt.toISOString()}` : 'active',
    ]),
  ]);
}
