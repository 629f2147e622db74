// Address of the client behind the proxies that the configuration trusts (`X-Forwarded-For`).
import { isIP } from 'node:net';
import type { Log } from '../utils/log.ts';
import { contains, createBlockList, isLoopback, isPrivate, normalizeAddress, parseRange } from './network.ts';

export interface ClientAddress {
  /** Normalized; undefined if it is unknown, such as for a request without a socket. */
  ipAddress: string | undefined;
  /** True if many callers may share the address: that of a private peer which forwards requests and is not trusted. */
  isShared: boolean;
}

/**
 * @param peer address of the socket's other end
 * @param forwardedFor all `X-Forwarded-For` lines, joined with commas
 */
export type FindClientAddress = (
  peer: string | undefined,
  forwardedFor: string | null | undefined,
) => ClientAddress;

export interface ClientAddressOptions {
  /** CIDR ranges, as `trustedProxies` in the configuration. */
  trustedProxies: readonly string[];
  log: Pick<Log, 'warn'>;
  now: () => Date;
}

const WARN_EVERY_MS = 60 * 60 * 1000;

/**
 * Reads `X-Forwarded-For` of trusted peers alone, from the right: a caller can write anything, but each proxy appends what
 * it sees. `Forwarded` and every other header are ignored, since a proxy that does not set them passes on the caller's.
 */
export function createClientAddress({ trustedProxies, log, now }: ClientAddressOptions): FindClientAddress {
  const trusted = createBlockList(...trustedProxies.map(parseRange).filter((range) => range !== undefined));
  const isTrusted = (address: string) => contains(trusted, address);
  let warnedAt = -Infinity;

  function warn(peer: string): void {
    const time = now().getTime();
    if (Math.abs(time - warnedAt) < WARN_EVERY_MS) return;
    warnedAt = time;
    log.warn(
      { peer },
      'a private peer sends X-Forwarded-For and is not in BANDHA_TRUSTED_PROXIES; its callers count as one address, without limits by network',
    );
  }

  return (peer, forwardedFor) => {
    const from = peer === undefined ? undefined : normalizeAddress(peer);
    const isForwarded = typeof forwardedFor === 'string' && forwardedFor !== '';
    if (from === undefined || !isForwarded) return { ipAddress: from, isShared: false };
    if (isTrusted(from)) return { ipAddress: readForwarded(from, forwardedFor, isTrusted), isShared: false };
    const isShared = isPrivate(from) || isLoopback(from);
    if (isShared) warn(from);
    return { ipAddress: from, isShared };
  };
}

/** @returns the first address from the right that is not trusted; the last trusted one if there is none, or no address follows */
function readForwarded(peer: string, list: string, isTrusted: (address: string) => boolean): string {
  let client = peer;
  for (let end = list.length; end >= 0 && isTrusted(client); ) {
    const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
    const address = parseHop(list.slice(comma + 1, end).trim());
    if (address === undefined) return client;
    client = address;
    end = comma;
  }
  return client;
}

const HOP = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/;

/** An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
function parseHop(hop: string): string | undefined {
  if (isIP(hop) !== 0) return normalizeAddress(hop);
  const [, bracketed = '', bare = ''] = HOP.exec(hop) ?? [];
  if (isIP(bracketed) === 6) return normalizeAddress(bracketed);
  return isIP(bare) === 4 ? bare : undefined;
}
