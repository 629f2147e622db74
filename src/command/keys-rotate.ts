// bandha keys rotate
import { loadConfig } from '../config/config.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import { rotateKeys } from '../tokens/keys/rotation.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandFailure, type Terminal } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';

export async function keysRotate(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const now = () => new Date();
  const config = loadConfig(terminal.env);
  const secrets = openExistingSecrets(config);
  // A database that is missing has no keys, and is not created for it.
  const rotation = hasStore(config)
    ? await withStore(terminal, (store) => rotateKeys({ store, secrets, now }))
    : undefined;
  if (rotation === undefined) {
    throw new CommandFailure(
      'Nothing was rotated. Either there are no keys yet, which the first start of a server makes, or another instance rotated them in this moment.',
    );
  }
  const { currentKid, nextKid, knownEverywhereAt } = rotation;
  const { stdout } = terminal;
  stdout.write(`${currentKid} signs new tokens from now on; those from before stay valid.\n`);
  stdout.write(`${nextKid} is published, to sign next.\n`);
  if (knownEverywhereAt > now()) {
    stdout.write(
      `The key that signs was published less than five minutes ago. Whoever keeps a copy of the JWK Set may not know it, and refuse new tokens, until ${knownEverywhereAt.toISOString()}.\n`,
    );
  }
}
