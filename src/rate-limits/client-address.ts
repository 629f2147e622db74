// Finds the address of a client behind trusted proxies (`X-Forwarded-For`).
import { isIP } from 'node:net';
import type { Log } from '../utils/log.ts';
import { contains, createBlockList, isLoopback, isPrivate, normalizeAddress, parseRange } from './network.ts';

export interface ClientAddress {
  /** Normalized; undefined if it is unknown, such as for a request that did not come from a socket. */
  ipAddress: string | undefined;
  /** True if many callers share the address: it belongs to an untrusted peer in a private network that forwards requests. */
  isShared: boolean;
}

/**
 * Finds the address of the client of a request.
 *
 * @param peer address of the socket's other end
 * @param forwardedFor all `X-Forwarded-For` lines, joined with commas
 */
export type FindClientAddress = (
  peer: string | undefined,
  forwardedFor: string | null | undefined,
) => ClientAddress;

export interface ClientAddressOptions {
  /** CIDR ranges; see `Config.trustedProxies`. */
  trustedProxies: readonly string[];
  log: Pick<Log, 'warn'>;
  now: () => Date;
}

const WARN_EVERY_MS = 60 * 60 * 1000;

/**
 * Reads `X-Forwarded-For` of trusted peers only, and from the right: a caller can send any value, but each proxy appends the address
 * that it sees. `Forwarded` and other headers are ignored, because a proxy that does not set them forwards those of the caller.
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
      'untrusted private peer sends X-Forwarded-For: its callers share one address, without limits by network; add the proxy to BANDHA_TRUSTED_PROXIES',
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

/** @returns the first untrusted address from the right; the last trusted one if none follows it, or a value that is not an address */
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

/** Parses an address in the formats of proxies: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
function parseHop(hop: string): string | undefined {
  if (isIP(hop) !== 0) return normalizeAddress(hop);
  const [, bracketed = '', bare = ''] = HOP.exec(hop) ?? [];
  if (isIP(bracketed) === 6) return normalizeAddress(bracketed);
  return isIP(bare) === 4 ? bare : undefined;
}
