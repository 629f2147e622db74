// bandha keys list

import { loadConfig } from '../config/env.ts';
import { openExistingSecrets } from '../config/secret-file.ts';
import type { SigningKeyRow } from '../storage/store.ts';
import { revokeKey, rotateKeys } from '../tokens/keys/rotation.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandError, type Terminal, UsageError } from './terminal.ts';
import { hasStore, withStore } from './with-store.ts';
import { formatTable } from './write-table.ts';

/** Prints the keys in the order in which they sign: the retired ones, the current one, the next. */
export async function keysList(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const keys = await withStore(terminal, (store) => store.listSigningKeys());
  const signsFrom = ({ currentSince }: SigningKeyRow) => currentSince?.getTime() ?? Infinity;
  const show = (date: Date | undefined) => date?.toISOString() ?? '-';
  formatTable(terminal, [
    ['KEY', 'ALGORITHM', 'STATUS', 'PUBLISHED', 'SIGNS SINCE', 'RETIRED'],
    ...keys
      .toSorted((one, other) => signsFrom(one) - signsFrom(other))
      .map(({ kid, algorithm, status, createdAt, currentSince, retiredAt }) => [
        kid,
        algorithm,
        status,
        show(createdAt),
        show(currentSince),
        show(retiredAt),
      ]),
  ]);
}

// bandha keys rotate

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
    throw new CommandError(
      'Nothing was rotated. Either there are no keys yet, which the first start of a server makes, or another instance rotated them in this moment.',
    );
  }
  const { currentKid, nextKid, propagatedAt: knownEverywhereAt } = rotation;
  const { stdout } = terminal;
  stdout.write(`${currentKid} signs new tokens from now on; those from before stay valid.\n`);
  stdout.write(`${nextKid} is published, to sign next.\n`);
  if (knownEverywhereAt > now()) {
    stdout.write(
      `The key that signs was published less than five minutes ago. Whoever keeps a copy of the JWK Set may not know it, and refuse new tokens, until ${knownEverywhereAt.toISOString()}.\n`,
    );
  }
}

// bandha keys revoke KID, bandha keys revoke --all

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
  if (status === undefined) throw new CommandError('No signing key has this id.');
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
