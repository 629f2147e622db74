// bandha users password

import { setPassword } from '../accounts/administration.ts';
import { createPasswordHasher } from '../passwords/hasher.ts';
import { normalizeEmail } from '../utils/email.ts';
import { parseArguments } from './parse-arguments.ts';
import { readPassword } from './read-password.ts';
import { CommandFailure, type Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

const UNKNOWN = 'No account has this email.';

export async function usersPassword(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  const changed = await withStore(terminal, async (store, config) => {
    const key = normalizeEmail(email)?.key;
    // Before it asks for a password.
    if (key === undefined || !(await store.findUserByEmail(key))) throw new CommandFailure(UNKNOWN);
    const password = await readPassword(terminal);
    const passwords = await createPasswordHasher();
    const deps = { store, passwords, config, now: () => new Date() };
    return setPassword(deps, { email, password }).finally(() => passwords.close());
  });
  if (changed === undefined) throw new CommandFailure(UNKNOWN);
  const { user, endedSessions } = changed;
  terminal.stdout.write(
    `Changed the password of ${user.email}; ${endedSessions} ${endedSessions === 1 ? 'session' : 'sessions'} ended.\n`,
  );
}
