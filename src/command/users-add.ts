// bandha users add
import { createAccount } from '../accounts/create-account.ts';
import { createPasswordHasher } from '../passwords/password-hasher.ts';
import { assertRoles } from './assert-roles.ts';
import { parseArguments } from './parse-arguments.ts';
import { readPassword } from './read-password.ts';
import type { Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

export async function usersAdd(args: readonly string[], terminal: Terminal): Promise<void> {
  const { positionals, values } = parseArguments(args, {
    count: 1,
    options: { role: { type: 'string', multiple: true } },
  });
  const [email = ''] = positionals;
  const { role: roles = [] } = values;
  assertRoles(roles);
  const password = await readPassword(terminal);
  await withStore(terminal, async (store) => {
    const passwords = await createPasswordHasher();
    const deps = { store, passwords, now: () => new Date() };
    const user = await createAccount(deps, { email, password, roles }).finally(() => passwords.close());
    terminal.stdout.write(
      `Added ${user.email}${user.roles.length > 0 ? `, ${user.roles.join(', ')}` : ''}.\n`,
    );
  });
}
