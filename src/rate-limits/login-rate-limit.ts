// Buckets that sign-in and registration spend. Keys are pseudonyms, so that neither addresses nor emails are stored.
import type { Secrets } from '../tokens/secrets.ts';
import type { ClientNetwork } from './network.ts';
import type { Spend } from './rate-limits.ts';

type Digest = Pick<Secrets, 'digest'>;

/** @returns pseudonym of a network in the list of an account's known networks; undefined without an address */
export function toKnownNetwork(secrets: Digest, { network, hasAddress }: ClientNetwork): string | undefined {
  return hasAddress ? secrets.digest('known networks', network) : undefined;
}

/**
 * @param emailKey the normalized email, whether an account has it or not
 * @returns pseudonym of the account
 */
export function toLimitSubject(secrets: Digest, emailKey: string): string {
  return secrets.digest('rate limits', `account ${emailKey}`);
}

/** @returns the bucket of the caller's network; none if limits by network do not apply */
export function toNetworkSpends(
  secrets: Digest,
  bucket: 'login.network' | 'register.network',
  client: ClientNetwork,
): Spend[] {
  return client.isLimited ? [{ bucket, key: toNetworkKey(secrets, client) }] : [];
}

/** @param isKnown whether the user has signed in from the network before. Failures from other networks then do not count. */
export function toLoginSpends(
  secrets: Digest,
  emailKey: string,
  client: ClientNetwork,
  isKnown: boolean,
): Spend[] {
  const subject = toLimitSubject(secrets, emailKey);
  const key = toNetworkKey(secrets, client);
  const account: Spend[] = isKnown
    ? [{ bucket: 'login.known', key, subject }]
    : [
        { bucket: 'login.pair', key, subject },
        { bucket: 'login.account', key: '', subject },
      ];
  return [...toNetworkSpends(secrets, 'login.network', client), ...account];
}

function toNetworkKey(secrets: Digest, { network }: ClientNetwork): string {
  return secrets.digest('rate limits', `network ${network}`);
}
