// bandha users add
import { createAccount } from '../accounts/registration.ts';
import { loadConfig } from '../config/config.ts';
import { AuthError } from '../errors.ts';
import { createPasswordHasher } from '../passwords/hasher.ts';
import { normalizeEmail } from '../utils/email.ts';
import { assertRoles } from './assert-roles.ts';
import { parseArguments } from './parse-arguments.ts';
import { readPassword } from './read-password.ts';
import type { Terminal } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';

export async function usersAdd(args: readonly string[], terminal: Terminal): Promise<void> {
  const { positionals, values } = parseArguments(args, {
    count: 1,
    options: { role: { type: 'string', multiple: true } },
  });
  const [email = ''] = positionals;
  const { role: roles = [] } = values;
  assertRoles(roles);
  await assertFreeEmail(email, terminal);
  const password = await readPassword(terminal);
  await withStore(
    terminal,
    async (store) => {
      const passwords = await createPasswordHasher();
      const deps = { store, passwords, now: () => new Date() };
      const user = await createAccount(deps, { email, password, roles }).finally(() => passwords.close());
      terminal.stdout.write(
        `Added ${user.email}${user.roles.length > 0 ? `, ${user.roles.join(', ')}` : ''}.\n`,
      );
    },
    { creates: true },
  );
}

/**
 * Before the password is asked for, which would be typed twice for nothing.
 * @throws AuthError `INVALID_EMAIL`, `EMAIL_TAKEN`
 */
async function assertFreeEmail(email: string, terminal: Terminal): Promise<void> {
  const normalized = normalizeEmail(email);
  if (normalized === undefined) throw new AuthError('INVALID_EMAIL');
  if (!hasStore(loadConfig(terminal.env))) return;
  const user = await withStore(terminal, (store) => store.findUserByEmail(normalized.key));
  if (user !== undefined) throw new AuthError('EMAIL_TAKEN');
}
