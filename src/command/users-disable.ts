// bandha users disable
import { disableAccount } from '../accounts/administration.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandFailure, type Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

export async function usersDisable(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  const disabled = await withStore(terminal, (store, config) =>
    disableAccount({ store, config, now: () => new Date() }, email),
  );
  if (disabled === undefined) throw new CommandFailure('No account has this email.');
  const { user, endedSessions } = disabled;
  terminal.stdout.write(
    `Disabled ${user.email}; ${endedSessions} ${endedSessions === 1 ? 'session' : 'sessions'} ended.\n`,
  );
}
