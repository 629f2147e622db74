// bandha users roles add, bandha users roles remove
import { changeRoles } from '../accounts/administration.ts';
import { assertRoles } from './assert-roles.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandFailure, type Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

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
  if (result === undefined) throw new CommandFailure('No account has this email.');
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
