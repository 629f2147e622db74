// The client address behind proxies, with forged, repeated and malformed headers.
import { describe, expect, it, vi } from 'vitest';
import { createClientAddress } from '../../../src/rate-limits/client-address.ts';

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.7';

function create(trustedProxies: readonly string[]) {
  const warn = vi.fn();
  const clock = { now: new Date('2026-11-26T12:00:00Z') };
  const find = createClientAddress({ trustedProxies, log: { warn }, now: () => clock.now });
  return { find, warn, clock, addressOf: (peer: string, header: string) => find(peer, header).ipAddress };
}

describe('a trusted peer', () => {
  it.each([
    ['one address', CLIENT, CLIENT],
    ['an address that the caller has sent before it', `192.0.2.66, ${CLIENT}`, CLIENT],
    ['other trusted proxies behind it', `192.0.2.66, ${CLIENT}, 10.9.9.9,10.0.0.2`, CLIENT],
    ['a port', `${CLIENT}:4711`, CLIENT],
    ['IPv6', '2001:DB8::7', '2001:db8::7'],
    ['IPv6 in brackets', '[2001:db8::7]', '2001:db8::7'],
    ['IPv6 in brackets with a port', '[2001:db8::7]:443', '2001:db8::7'],
    ['IPv4-mapped IPv6', '::ffff:203.0.113.7', CLIENT],
    ['a trusted proxy as IPv4-mapped IPv6', `${CLIENT}, ::ffff:10.0.0.2`, CLIENT],
    ['tabs and spaces', `\t${CLIENT} \t,  10.0.0.2 `, CLIENT],
    ['only trusted addresses', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['text that is not an address', 'unknown', PROXY],
    ['no address behind a proxy', `${CLIENT}, garbage, 10.0.0.2`, '10.0.0.2'],
    ['an empty entry at the end', `${CLIENT}, `, PROXY],
    ['only commas', ',,,', PROXY],
    ['a shorthand of IPv4', '127.1', PROXY],
    ['IPv4 in brackets', `[${CLIENT}]`, PROXY],
    ['an invalid port', `${CLIENT}:http`, PROXY],
    ['quotes', `"${CLIENT}"`, PROXY],
    ['a list as long as headers may be', `${'192.0.2.66, '.repeat(1_200)}${CLIENT}`, CLIENT],
  ])('names the client with %s', (_, header, expected) => {
    const { addressOf, warn } = create(['10.0.0.0/8']);
    expect(addressOf(PROXY, header)).toBe(expected);
    expect(addressOf(`::ffff:${PROXY}`, header)).toBe(expected);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([undefined, null, ''])('counts as the client without the header: %j', (header) => {
    expect(create(['10.0.0.0/8']).find(PROXY, header)).toEqual({ ipAddress: PROXY, isShared: false });
  });

  it('matches a range of IPv6, of IPv4-mapped IPv6, or a single address', () => {
    expect(create(['2001:db8:1::/48']).addressOf('2001:db8:1::5', CLIENT)).toBe(CLIENT);
    expect(create(['::ffff:10.0.0.0/104']).addressOf(PROXY, CLIENT)).toBe(CLIENT);
    expect(create([PROXY]).addressOf(PROXY, CLIENT)).toBe(CLIENT);
    expect(create([PROXY]).addressOf('10.0.0.2', CLIENT)).toBe('10.0.0.2');
  });
});

describe('an untrusted peer', () => {
  it('counts as the client, whatever it sends', () => {
    const { find, warn } = create(['10.0.0.0/8']);
    expect(find('198.51.100.1', CLIENT)).toEqual({ ipAddress: '198.51.100.1', isShared: false });
    expect(warn).not.toHaveBeenCalled();
  });

  it.each(['10.0.0.1', '192.168.0.1', '127.0.0.1', '::1', 'fd00::1', '::ffff:172.16.0.1'])(
    'counts as shared if it is private and forwards requests: %s',
    (peer) => {
      const { find, warn } = create(['10.9.0.0/16']);
      expect(find(peer, CLIENT)).toEqual({ ipAddress: peer.replace('::ffff:', ''), isShared: true });
      expect(find(peer, null).isShared).toBe(false);
      expect(warn).toHaveBeenCalledOnce();
      expect(JSON.stringify(warn.mock.calls)).not.toContain(CLIENT);
    },
  );

  it('causes a warning once an hour', () => {
    const { find, warn, clock } = create([]);
    for (const minutes of [0, 1, 59, 60, 61]) {
      clock.now = new Date(Date.parse('2026-11-26T12:00:00Z') + minutes * 60_000);
      find(PROXY, CLIENT);
      find('10.0.0.2', CLIENT);
    }
    expect(warn).toHaveBeenCalledTimes(2);
  });
});

it('createClientAddress finds no address without a socket', () => {
  expect(create(['10.0.0.0/8']).find(undefined, CLIENT)).toEqual({ ipAddress: undefined, isShared: false });
});
