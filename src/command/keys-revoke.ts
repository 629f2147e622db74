// bandha keys revoke KID, bandha keys revoke --all
import { openExistingSecrets } from '../config/secret-file.ts';
import { revokeKey } from '../tokens/keys/rotation.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandFailure, type Terminal, UsageError } from './terminal.ts';
import { withStore } from './with-store.ts';

/** `--all` needs no secret: it is for a secret that has leaked, or is lost. */
export async function keysRevoke(args: readonly string[], terminal: Terminal): Promise<void> {
  const { positionals, values } = parseArguments(args, {
    count: [0, 1],
    options: { all: { type: 'boolean', default: false } },
  });
  const [kid] = positionals;
  if (values.all && kid !== undefined) throw new UsageError('Give a key or --all, not both.');
  if (values.all) return revokeAll(terminal);
  if (kid === undefined) throw new UsageError('An argument is missing.');
  await revokeOne(kid, terminal);
}

async function revokeOne(kid: string, terminal: Terminal): Promise<void> {
  const status = await withStore(terminal, (store, config) =>
    revokeKey({ store, secrets: () => openExistingSecrets(config), now: () => new Date() }, kid),
  );
  if (status === undefined) throw new CommandFailure('No signing key has this id.');
  const { stdout } = terminal;
  stdout.write(`Revoked ${kid}. Running servers reject its tokens within a second; sessions stay.\n`);
  if (status === 'current') stdout.write('The next key signs new tokens from now on.\n');
  if (status !== 'retired') stdout.write('A new key is published, to sign next.\n');
  stdout.write(VERIFIERS_ELSEWHERE);
}

async function revokeAll(terminal: Terminal): Promise<void> {
  const count = await withStore(terminal, (store) => store.revokeAllSigningKeys(new Date()));
  const { stdout } = terminal;
  if (count === 0) {
    stdout.write('There are no signing keys. The next start of a server creates them.\n');
    return;
  }
  stdout.write(
    `Revoked ${count} signing ${count === 1 ? 'key' : 'keys'}. Servers reject the access tokens issued so far, and create new keys.\n`,
  );
  stdout.write(VERIFIERS_ELSEWHERE);
}

const VERIFIERS_ELSEWHERE = 'Other services that verify tokens follow when they fetch the JWK Set again.\n';
