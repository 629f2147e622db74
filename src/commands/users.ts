// bandha users add

import { changeRoles, disableUser, setPassword, unlockUser } from '../accounts/administration.ts';
import { createUser } from '../accounts/registration.ts';
import { loadConfig } from '../config/env.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import { AuthError } from '../errors.ts';
import { createPasswordHasher } from '../passwords/hasher.ts';
import { assertRolesFit } from '../storage/roles.ts';
import { decryptSigningKey } from '../tokens/keys/signing-key.ts';
import { normalizeEmail } from '../utils/email.ts';
import { parseArguments } from './parse-arguments.ts';
import { readPassword } from './read-password.ts';
import { CommandError, type Terminal, UsageError } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';
import { formatTable } from './write-table.ts';

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
      const user = await createUser(deps, { email, password, roles }).finally(() => passwords.close());
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

// bandha users list

export async function usersList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const users = await withStore(terminal, (store) => store.listUsers());
  formatTable(terminal, [
    ['EMAIL', 'ROLES', 'REGISTERED', 'STATE'],
    ...users.map(({ email, roles, createdAt, disabledAt }) => [
      email,
      roles.join(',') || '-',
      createdAt.toISOString(),
      disabledAt ? `disabled ${disabledAt.toISOString()}` : 'active',
    ]),
  ]);
}

// bandha users password

const UNKNOWN = 'No account has this email.';

export async function usersPassword(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  const changed = await withStore(terminal, async (store, config) => {
    const key = normalizeEmail(email)?.key;
    // Before it asks for a password.
    if (key === undefined || !(await store.findUserByEmail(key))) throw new CommandError(UNKNOWN);
    const password = await readPassword(terminal);
    const passwords = await createPasswordHasher();
    const deps = { store, passwords, config, now: () => new Date() };
    return setPassword(deps, { email, password }).finally(() => passwords.close());
  });
  if (changed === undefined) throw new CommandError(UNKNOWN);
  const { user, revokedSessions } = changed;
  terminal.stdout.write(
    `Changed the password of ${user.email}; ${revokedSessions} ${revokedSessions === 1 ? 'session' : 'sessions'} ended.\n`,
  );
}

// bandha users disable

export async function usersDisable(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  const disabled = await withStore(terminal, (store, config) =>
    disableUser({ store, config, now: () => new Date() }, email),
  );
  if (disabled === undefined) throw new CommandError('No account has this email.');
  const { user, revokedSessions } = disabled;
  terminal.stdout.write(
    `Disabled ${user.email}; ${revokedSessions} ${revokedSessions === 1 ? 'session' : 'sessions'} ended.\n`,
  );
}

// bandha users unlock

export async function usersUnlock(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  await withStore(terminal, async (store, config) => {
    const secrets = openExistingSecrets(config);
    // With another secret than the servers', the command would succeed and change nothing.
    const [key] = await store.listSigningKeys();
    if (key !== undefined) await decryptSigningKey(key, secrets);
    await unlockUser({ store, secrets, now: () => new Date() }, email);
  });
  terminal.stdout.write(
    'The limits of this email are deleted; running servers follow within five seconds.\n',
  );
}

// bandha users roles add, bandha users roles remove

export const usersRolesAdd = (args: readonly string[], terminal: Terminal) =>
  usersRoles('add', args, terminal);

export const usersRolesRemove = (args: readonly string[], terminal: Terminal) =>
  usersRoles('remove', args, terminal);

async function usersRoles(
  verb: 'add' | 'remove',
  args: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const { positionals } = parseArguments(args, { count: [2, Infinity], options: {} });
  const [email = '', ...roles] = positionals;
  // One that was given in another way can be taken away.
  if (verb === 'add') assertRoles(roles);
  const result = await withStore(terminal, (store) =>
    changeRoles({ store, now: () => new Date() }, email, { [verb]: roles }),
  );
  if (result === undefined) throw new CommandError('No account has this email.');
  const { user, changed } = result;
  const has = user.roles.length > 0 ? user.roles.join(', ') : 'no roles';
  if (verb === 'add' && changed && roles.includes('admin')) {
    terminal.stderr.write(
      'Its password is the one that it was registered with. If you do not know who did that, run "bandha users password EMAIL" now.\n',
    );
  }
  terminal.stdout.write(
    changed
      ? `${user.email} has ${has} now. Access tokens from before are refused; refreshing gives new ones.\n`
      : `${user.email} has ${has}; nothing changed.\n`,
  );
}

// Roles as somebody types them, or a script whose variable turned out empty.

/** @throws UsageError where one is empty */
export function assertRoles(roles: readonly string[]): void {
  assertRolesFit(roles);
  if (roles.some((role) => role.trim() === '')) throw new UsageError('A role must not be empty.');
}
