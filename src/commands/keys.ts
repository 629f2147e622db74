// The commands `bandha keys list`, `rotate` and `revoke`.
import { loadConfig } from '../config/env.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import type { SigningKeyRow } from '../storage/store.ts';
import { revokeKey, rotateKeys } from '../tokens/keys/rotation.ts';
import { formatTable } from '../utils/text-table.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandError, formatCount, type Terminal, UsageError } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';

const OTHER_VERIFIERS = 'Other services reject these tokens once they fetch the JWK Set again.\n';

/** Prints the keys in signing order: retired ones, the current one, the next one. */
export async function keysList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const keys = await withStore(terminal, (store) => store.listSigningKeys());
  const getSigningTime = ({ currentSince }: SigningKeyRow) => currentSince?.getTime() ?? Infinity;
  const formatTime = (date: Date | undefined) => date?.toISOString() ?? '-';
  const table = formatTable(
    ['KEY', 'ALGORITHM', 'STATUS', 'PUBLISHED', 'SIGNS SINCE', 'RETIRED'],
    keys
      .toSorted((one, other) => getSigningTime(one) - getSigningTime(other))
      .map(({ kid, algorithm, status, createdAt, currentSince, retiredAt }) => [
        kid,
        algorithm,
        status,
        formatTime(createdAt),
        formatTime(currentSince),
        formatTime(retiredAt),
      ]),
    'columns',
  );
  terminal.stdout.write(`${table}\n`);
}

/** Makes the next key the current one, and publishes another next key. */
export async function keysRotate(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const now = () => new Date();
  const config = loadConfig(terminal.env);
  const secrets = openExistingSecrets(config);
  // A missing database has no keys to rotate, so it is not created here.
  const rotation = hasStore(config)
    ? await withStore(terminal, (store) => rotateKeys({ store, secrets, now }))
    : undefined;
  if (rotation === undefined) {
    throw new CommandError(
      'No key was rotated: another instance has just rotated the keys, or there are none yet. The first start of a server creates them.',
    );
  }
  const { currentKid, nextKid, propagatedAt } = rotation;
  const { stdout } = terminal;
  stdout.write(`${currentKid} signs new tokens. Tokens signed by earlier keys stay valid.\n`);
  stdout.write(`${nextKid} is published as the next key.\n`);
  if (propagatedAt > now()) {
    stdout.write(
      `The signing key was published less than five minutes ago. Other services that cache the JWK Set may reject new tokens until ${propagatedAt.toISOString()}.\n`,
    );
  }
}

/** Deletes one key after a leak, or all. `--all` needs no secret: it is for a secret that has leaked or is lost. */
export async function keysRevoke(args: readonly string[], terminal: Terminal): Promise<void> {
  const { positionals, values } = parseArguments(args, {
    count: [0, 1],
    options: { all: { type: 'boolean', default: false } },
  });
  const [kid] = positionals;
  if (values.all && kid !== undefined) throw new UsageError('Give a key or --all, not both.');
  if (values.all) return revokeAll(terminal);
  if (kid === undefined) throw new UsageError('Missing argument.');
  await revokeOne(kid, terminal);
}

async function revokeOne(kid: string, terminal: Terminal): Promise<void> {
  const status = await withStore(terminal, (store, config) =>
    revokeKey({ store, secrets: () => openExistingSecrets(config), now: () => new Date() }, kid),
  );
  if (status === undefined) throw new CommandError('No signing key has this id.');
  const { stdout } = terminal;
  stdout.write(`Revoked ${kid}. Running servers reject its tokens within a second; sessions stay live.\n`);
  if (status === 'current') stdout.write('The next key signs new tokens.\n');
  if (status !== 'retired') stdout.write('A new next key is published.\n');
  stdout.write(OTHER_VERIFIERS);
}

async function revokeAll(terminal: Terminal): Promise<void> {
  const count = await withStore(terminal, (store) => store.revokeAllSigningKeys(new Date()));
  const { stdout } = terminal;
  if (count === 0) {
    stdout.write('There are no signing keys. The next start of a server creates them.\n');
    return;
  }
  stdout.write(
    `Revoked ${formatCount(count, 'signing key')}. Servers create new keys and reject every access token issued so far.\n`,
  );
  stdout.write(OTHER_VERIFIERS);
}
