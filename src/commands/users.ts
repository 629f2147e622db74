// The commands `bandha users add`, `list`, `password`, `disable`, `unlock`, `roles add` and `roles remove`.
import { changeRoles, disableUser, setPassword, unlockUser } from '../accounts/administration.ts';
import { createUser } from '../accounts/registration.ts';
import { loadConfig } from '../config/env.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import { AuthError } from '../errors.ts';
import { createPasswordHasher } from '../passwords/hasher.ts';
import { assertRolesFit } from '../storage/roles.ts';
import { decryptSigningKey } from '../tokens/keys/signing-key.ts';
import { normalizeEmail } from '../utils/email.ts';
import { formatTable } from '../utils/text-table.ts';
import { parseArguments } from './parse-arguments.ts';
import { readPassword } from './read-password.ts';
import { CommandError, formatCount, type Terminal, UsageError } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';

const UNKNOWN_EMAIL = 'No user has this email.';
const ADMIN = 'admin';

/** Creates a user, and the database if it is missing. */
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
  const user = await withStore(
    terminal,
    async (store) => {
      const passwords = await createPasswordHasher();
      const deps = { store, passwords, now: () => new Date() };
      return createUser(deps, { email, password, roles }).finally(() => passwords.close());
    },
    { creates: true },
  );
  const withRoles = user.roles.length > 0 ? ` with ${formatRoles(user.roles)}` : '';
  terminal.stdout.write(`Added ${user.email}${withRoles}.\n`);
}

/** Prints the users, the oldest first. */
export async function usersList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const users = await withStore(terminal, (store) => store.listUsers());
  const table = formatTable(
    ['EMAIL', 'ROLES', 'REGISTERED', 'STATE'],
    users.map(({ email, roles, createdAt, disabledAt }) => [
      email,
      roles.join(',') || '-',
      createdAt.toISOString(),
      disabledAt ? `disabled ${disabledAt.toISOString()}` : 'active',
    ]),
    'columns',
  );
  terminal.stdout.write(`${table}\n`);
}

/** Replaces a user's password and revokes their sessions. */
export async function usersPassword(args: readonly string[], terminal: Terminal): Promise<void> {
  const email = parseEmail(args);
  const changed = await withStore(terminal, async (store, config) => {
    const key = normalizeEmail(email)?.key;
    // Fails before the user types a password twice.
    if (key === undefined || !(await store.findUserByEmail(key))) throw new CommandError(UNKNOWN_EMAIL);
    const password = await readPassword(terminal);
    const passwords = await createPasswordHasher();
    const deps = { store, passwords, config, now: () => new Date() };
    return setPassword(deps, { email, password }).finally(() => passwords.close());
  });
  if (changed === undefined) throw new CommandError(UNKNOWN_EMAIL);
  const { user, revokedSessions } = changed;
  const sessions = formatCount(revokedSessions, 'session');
  terminal.stdout.write(`Changed the password of ${user.email} and revoked ${sessions}.\n`);
}

/** Prevents a user from signing in, and revokes their sessions. */
export async function usersDisable(args: readonly string[], terminal: Terminal): Promise<void> {
  const email = parseEmail(args);
  const disabled = await withStore(terminal, (store, config) =>
    disableUser({ store, config, now: () => new Date() }, email),
  );
  if (disabled === undefined) throw new CommandError(UNKNOWN_EMAIL);
  const { user, revokedSessions } = disabled;
  terminal.stdout.write(`Disabled ${user.email} and revoked ${formatCount(revokedSessions, 'session')}.\n`);
}

/** Deletes the rate limits of an email, whether it has an account or not. */
export async function usersUnlock(args: readonly string[], terminal: Terminal): Promise<void> {
  const email = parseEmail(args);
  await withStore(terminal, async (store, config) => {
    const secrets = openExistingSecrets(config);
    // Fails if the servers have another secret: limits are stored under a pseudonym made from it, so none would be deleted.
    const [key] = await store.listSigningKeys();
    if (key !== undefined) await decryptSigningKey(key, secrets);
    await unlockUser({ store, secrets, now: () => new Date() }, email);
  });
  terminal.stdout.write(
    'Deleted the rate limits of this email. Running servers follow within five seconds.\n',
  );
}

/** Adds roles to a user. */
export const usersRolesAdd = (args: readonly string[], terminal: Terminal) =>
  usersRoles('add', args, terminal);

/** Removes roles from a user. */
export const usersRolesRemove = (args: readonly string[], terminal: Terminal) =>
  usersRoles('remove', args, terminal);

async function usersRoles(
  change: 'add' | 'remove',
  args: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const { positionals } = parseArguments(args, { count: [2, Infinity], options: {} });
  const [email = '', ...roles] = positionals;
  // Not checked on removal: an application may have stored such roles.
  if (change === 'add') assertRoles(roles);
  const result = await withStore(terminal, (store) =>
    changeRoles({ store, now: () => new Date() }, email, { [change]: roles }),
  );
  if (result === undefined) throw new CommandError(UNKNOWN_EMAIL);
  const { user, changed } = result;
  if (change === 'add' && changed && roles.includes(ADMIN)) {
    terminal.stderr.write(
      `Warning: this user has the password chosen at registration. If you do not know who registered, run now: ${terminal.program} users password EMAIL\n`,
    );
  }
  const effect = changed
    ? ' Tokens with the old roles are rejected; clients refresh them.'
    : ' Nothing changed.';
  terminal.stdout.write(`${user.email} has ${formatRoles(user.roles)}.${effect}\n`);
}

function parseEmail(args: readonly string[]): string {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  return email;
}

/**
 * Fails before the user types a password twice.
 * @throws AuthError `INVALID_EMAIL`, `EMAIL_TAKEN`
 */
async function assertFreeEmail(email: string, terminal: Terminal): Promise<void> {
  const normalized = normalizeEmail(email);
  if (normalized === undefined) throw new AuthError('INVALID_EMAIL');
  if (!hasStore(loadConfig(terminal.env))) return;
  const user = await withStore(terminal, (store) => store.findUserByEmail(normalized.key));
  if (user !== undefined) throw new AuthError('EMAIL_TAKEN');
}

/**
 * Rejects empty roles, such as those of an unset variable in a script.
 * @throws UsageError for an empty role; AuthError `INVALID_VALUE` for more roles, or longer ones, than a token can carry
 */
function assertRoles(roles: readonly string[]): void {
  assertRolesFit(roles);
  if (roles.some((role) => role.trim() === '')) throw new UsageError('A role must not be empty.');
}

/** @returns such as `no roles`, `role admin` or `roles admin, editor` */
function formatRoles(roles: readonly string[]): string {
  if (roles.length === 0) return 'no roles';
  return `${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`;
}
