// IP addresses in one spelling, and the network that limits and the hashing queue count them by.
import { BlockList, isIP, SocketAddress } from 'node:net';

const LOOPBACK = createBlockList(['127.0.0.0', 8], ['::1', 128]);
/** RFC 1918, RFC 3927, RFC 4193, RFC 4291 and RFC 6598: addresses that only peers inside the operator's network have. */
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
const NETWORK_GROUPS = 4; // a /64: what one customer of a provider has at least

/** @returns the address in lower case, compressed (RFC 5952), without a zone, IPv4-mapped as IPv4; undefined if it is none */
export function normalizeAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return text;
  const { address } = new SocketAddress({ address: text.replace(/%.*$/, ''), family: 'ipv6' });
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}

/**
 * The network of a normalized address: an IPv4 address by itself, or the /64 of an IPv6 address. Each loopback address is a
 * network of its own.
 */
export function toNetwork(address: string): string {
  if (isIP(address) !== 6 || isLoopback(address)) return address;
  const [head = [], tail = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  // An IPv4 address at the end takes the place of two groups.
  const length = head.length + tail.length + (address.includes('.') ? 1 : 0);
  const zeros = Array.from({ length: Math.max(0, IPV6_GROUPS - length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** @param address normalized, as all addresses below */
export function isLoopback(address: string): boolean {
  return contains(LOOPBACK, address);
}

export function isPrivate(address: string): boolean {
  return contains(PRIVATE, address);
}

export function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** @returns what `contains` takes; undefined if the text is no CIDR range such as `10.0.0.0/8`, and for the range of all addresses */
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

/** How long a network stays known to an account after its last sign-in from there. */
export const KNOWN_NETWORK_SECONDS = 90 * 24 * 60 * 60;

/** The network that callers without a known address share. */
export const UNKNOWN_NETWORK = 'unknown';

export interface ClientNetwork {
  /** What account limits and the hashing queue count the client by. */
  network: string;
  /** False for the network of all callers without a known address. */
  hasAddress: boolean;
  /** Whether limits by network apply: the address is known, is not loopback, and is not one that many callers share. */
  isLimited: boolean;
}

/** @param client `isShared` as `ClientAddress` has it */
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
