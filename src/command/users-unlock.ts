// bandha users unlock
import { unlockAccount } from '../accounts/administration.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import { openKey } from '../tokens/keys/signing-key.ts';
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

export async function usersUnlock(args: readonly string[], terminal: Terminal): Promise<void> {
  const [email = ''] = parseArguments(args, { count: 1, options: {} }).positionals;
  await withStore(terminal, async (store, config) => {
    const secrets = openExistingSecrets(config);
    // With another secret than the servers', the command would succeed and change nothing.
    const [key] = await store.listSigningKeys();
    if (key !== undefined) await openKey(key, secrets);
    await unlockAccount({ store, secrets, now: () => new Date() }, email);
  });
  terminal.stdout.write(
    'The limits of this email are deleted; running servers follow within five seconds.\n',
  );
}
