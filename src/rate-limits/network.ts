// Normalizes IP addresses, and maps them to networks, the keys of rate limits and of the hashing queue.
import { BlockList, isIP, SocketAddress } from 'node:net';

const LOOPBACK = createBlockList(['127.0.0.0', 8], ['::1', 128]);
/** Addresses of peers in the operator's network: RFC 1918, RFC 3927, RFC 4193, RFC 4291 and RFC 6598. */
const PRIVATE = createBlockList(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
  ['fe80::', 10],
);

const MAPPED_IPV4 = /^::ffff:([\d.]+)$/;
const IPV6_GROUPS = 8;
const NETWORK_GROUPS = 4; // a /64, the least that a provider assigns to one customer

/** @returns the address in lower case, compressed (RFC 5952), without a zone, IPv4-mapped as IPv4; undefined if it is invalid */
export function normalizeAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return text;
  const { address } = new SocketAddress({ address: text.replace(/%.*$/, ''), family: 'ipv6' });
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}

/**
 * Maps a normalized address to its network: an IPv4 or loopback address is its own network, another IPv6 address belongs to its /64.
 */
export function toNetwork(address: string): string {
  if (isIP(address) !== 6 || isLoopback(address)) return address;
  const [head = [], tail = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  // An IPv4 address at the end takes the place of two groups.
  const length = head.length + tail.length + (address.includes('.') ? 1 : 0);
  const zeros = Array.from({ length: Math.max(0, IPV6_GROUPS - length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** @param address normalized, like all addresses below */
export function isLoopback(address: string): boolean {
  return contains(LOOPBACK, address);
}

export function isPrivate(address: string): boolean {
  return contains(PRIVATE, address);
}

export function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Parses a CIDR range such as `10.0.0.0/8`, or a single address, for {@link createBlockList}.
 *
 * @returns undefined if the text is invalid, and for the range of all addresses
 */
export function parseRange(text: string): [address: string, prefix: number] | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  if (version === 0 || address.includes('%') || rest.length > 0) return undefined;
  if (prefix === undefined) return [address, bits];
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0;
  return length >= 1 && length <= bits ? [address, length] : undefined;
}

export function createBlockList(
  ...ranges: readonly (readonly [address: string, prefix: number])[]
): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) {
    list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Time that a network stays known to an account after the last sign-in from there. */
export const KNOWN_NETWORK_SECONDS = 90 * 24 * 60 * 60;

/** Network of all callers whose address is unknown. */
export const UNKNOWN_NETWORK = 'unknown';

export interface ClientNetwork {
  /** Key of account limits and of the hashing queue. */
  network: string;
  /** False for the network of all callers whose address is unknown. */
  hasAddress: boolean;
  /** Whether limits by network apply: the address is known, is not a loopback address, and is not shared by many callers. */
  isLimited: boolean;
}

/** @param client see {@link ClientAddress} */
export function toClientNetwork({
  ipAddress,
  isShared = false,
}: {
  ipAddress: string | undefined;
  isShared?: boolean;
}): ClientNetwork {
  const address = ipAddress === undefined ? undefined : normalizeAddress(ipAddress);
  if (address === undefined) return { network: UNKNOWN_NETWORK, hasAddress: false, isLimited: false };
  return { network: toNetwork(address), hasAddress: true, isLimited: !isShared && !isLoopback(address) };
}
