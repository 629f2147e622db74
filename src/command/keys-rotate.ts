// bandha keys rotate
import { openExistingSecrets } from '../secret-file.ts';
import { rotateKeys } from '../tokens/rotate-keys.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandFailure, type Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

export async function keysRotate(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const now = () => new Date();
  const rotation = await withStore(terminal, (store, config) =>
    rotateKeys({ store, secrets: openExistingSecrets(config), now }),
  );
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
