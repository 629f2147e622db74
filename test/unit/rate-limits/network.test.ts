// Normalization of addresses, networks, and CIDR ranges.
import { describe, expect, it } from 'vitest';
import {
  isLoopback,
  isPrivate,
  normalizeAddress,
  parseRange,
  toNetwork,
} from '../../../src/rate-limits/network.ts';

describe('normalizeAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['::1', '::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('writes %s as %s', (text, address) => {
    expect(normalizeAddress(text)).toBe(address);
  });

  it.each([
    '',
    ' 192.0.2.1',
    '127.1',
    '0x7f.0.0.1',
    '192.0.2.01',
    '192.0.2.256',
    '192.0.2.1:80',
    '[::1]',
    '1::2::3',
    'unknown',
    '192.0.2.1%eth0',
    'example.com',
  ])('rejects %j', (text) => {
    expect(normalizeAddress(text)).toBeUndefined();
  });
});

describe('toNetwork', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['127.0.0.2', '127.0.0.2'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['1::3:4:5:6:7:8', '1:0:3:4::/64'],
    ['::2', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('puts %s into %s', (address, network) => {
    expect(toNetwork(normalizeAddress(address) ?? '')).toBe(network);
  });

  it('gives one network to all addresses of a /64', () => {
    const [first, last, next] = ['2001:db8:a:b::', '2001:db8:a:b:ffff:ffff:ffff:ffff', '2001:db8:a:c::'];
    expect(toNetwork(last)).toBe(toNetwork(first));
    expect(toNetwork(next)).not.toBe(toNetwork(first));
  });
});

describe('kinds of addresses', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.0.1', true],
    ['::1', true],
    ['128.0.0.1', false],
    ['::2', false],
  ])('isLoopback(%s) is %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });

  it.each([
    ['10.1.2.3', true],
    ['172.16.0.1', true],
    ['172.32.0.1', false],
    ['192.168.1.1', true],
    ['100.64.0.1', true],
    ['100.128.0.1', false],
    ['fd00::1', true],
    ['fe80::1', true],
    ['2001:db8::1', false],
    ['203.0.113.1', false],
  ])('isPrivate(%s) is %s', (address, expected) => {
    expect(isPrivate(address)).toBe(expected);
  });
});

describe('parseRange', () => {
  it.each([
    ['10.0.0.0/8', ['10.0.0.0', 8]],
    ['192.0.2.1', ['192.0.2.1', 32]],
    ['2001:db8::/32', ['2001:db8::', 32]],
    ['::1', ['::1', 128]],
  ])('reads %s', (text, range) => {
    expect(parseRange(text)).toEqual(range);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '0.0.0.0/0',
    '::/0',
    '::/129',
    'fe80::1%eth0/64',
    'loopback',
    '10.0.0.0/255.0.0.0',
  ])('rejects %j', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
