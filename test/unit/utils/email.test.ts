// Validation and normalization of email addresses.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeEmail } from '../../../src/utils/email.ts';

/** @returns an address of this total length, with a local part and labels of the maximum lengths */
function emailOfLength(length: number): string {
  const local = 'a'.repeat(64);
  const labels = ['b'.repeat(63), 'c'.repeat(63), 'd'.repeat(length - local.length - 1 - 64 - 64)];
  return `${local}@${labels.join('.')}`;
}

describe('normalizeEmail', () => {
  it.each([
    'ada@example.com',
    'ada.lovelace+tag@mail.example.co.uk',
    "o'brien_{x}|~!#$%&*-/=?^`@example.com",
    'a@b',
    'root@localhost',
    '1@2.3',
    'ada@xn--bcher-kva.example',
    'jürgen@bücher.example',
    '用户@例え.jp',
    'उपयोगकर्ता@डेटामेल.भारत',
    '🦊@example.com',
    `${'a'.repeat(64)}@example.com`,
    `ada@${'b'.repeat(63)}.com`,
  ])('accepts %s', (input) => {
    expect(normalizeEmail(input)?.email).toBe(input.normalize('NFC'));
  });

  it.each([
    ['no characters', ''],
    ['spaces', '   '],
    ['no at sign', 'ada.example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ada@'],
    ['two at signs', 'ada@home@example.com'],
    ['a space inside', 'ada lovelace@example.com'],
    ['a space in the domain', 'ada@exam ple.com'],
    ['a dot in front', '.ada@example.com'],
    ['a dot at the end of the local part', 'ada.@example.com'],
    ['two dots in a row', 'ada..l@example.com'],
    ['a dot in front of the domain', 'ada@.example.com'],
    ['a dot at the end', 'ada@example.com.'],
    ['two dots in the domain', 'ada@example..com'],
    ['a hyphen in front of a label', 'ada@-example.com'],
    ['a hyphen at the end of a label', 'ada@example-.com'],
    ['an underscore in the domain', 'ada@exam_ple.com'],
    ['a quoted local part', '"ada"@example.com'],
    ['an address literal', 'ada@[192.0.2.1]'],
    ['a name and angle brackets', 'Ada <ada@example.com>'],
    ['a comment', 'ada(x)@example.com'],
    ['a list', 'ada@example.com,bob@example.com'],
    ['a backslash', 'ada\\@example.com'],
    ['a line break', 'ada@example.com\nBcc: bob@example.com'],
    ['a null character', 'ada\u0000@example.com'],
    ['an invisible character', 'a\u200bda@example.com'],
    ['a change of direction', 'ada\u202e@example.com'],
    ['half of a surrogate pair', 'ada\ud800@example.com'],
    ['a local part of 65 characters', `${'a'.repeat(65)}@example.com`],
    ['a label of 64 characters', `ada@${'b'.repeat(64)}.com`],
    ['a million characters', `${'a'.repeat(1_000_000)}@example.com`],
    ['a million spaces around', `${' '.repeat(1_000_000)}ada@example.com`],
  ])('rejects an address with %s', (_, input) => {
    expect(normalizeEmail(input)).toBeUndefined();
  });

  it('accepts at most 254 characters', () => {
    expect(emailOfLength(254)).toHaveLength(254);
    expect(normalizeEmail(emailOfLength(254))?.email).toBe(emailOfLength(254));
    expect(normalizeEmail(emailOfLength(255))).toBeUndefined();
    expect(normalizeEmail(`  ${emailOfLength(254)}  `)?.email).toBe(emailOfLength(254));
  });

  it('preserves case, trims, and normalizes to NFC', () => {
    expect(normalizeEmail('\t Ada@Example.COM \n')).toEqual({
      email: 'Ada@Example.COM',
      key: 'ada@example.com',
    });
    expect(normalizeEmail('Zoe\u0308@example.com')).toEqual({
      email: 'Zo\u00eb@example.com',
      key: 'zo\u00eb@example.com',
    });
  });
});

describe('the key of an email address', () => {
  it.each([
    ['case', 'ADA@EXAMPLE.COM', 'ada@example.com'],
    ['case outside ASCII', 'JÜRGEN@BÜCHER.EXAMPLE', 'jürgen@bücher.example'],
    ['combining marks', 'jürgen@example.com', 'ju\u0308rgen@example.com'],
    ['combining marks and case', 'JU\u0308RGEN@example.com', 'jürgen@example.com'],
    ['space around', ' ada@example.com ', 'ada@example.com'],
  ])('ignores %s', (_, one, other) => {
    expect(normalizeEmail(one)?.key).toBeDefined();
    expect(normalizeEmail(one)?.key).toBe(normalizeEmail(other)?.key);
  });

  it.each([
    ['ada@example.com', 'ada+tag@example.com'],
    ['ada@example.com', 'a.da@example.com'],
    ['аda@example.com', 'ada@example.com'], // a Cyrillic letter
    ['ａda@example.com', 'ada@example.com'], // a full-width letter: NFC, not NFKC
  ])('differs: %s and %s', (one, other) => {
    expect(normalizeEmail(one)?.key).not.toBe(normalizeEmail(other)?.key);
  });

  it('stays the same if it is normalized again', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(part, part, (local, domain) => {
        const once = normalizeEmail(`${local}@${domain}`);
        fc.pre(once !== undefined);
        expect(normalizeEmail(once.email)).toEqual(once);
        expect(normalizeEmail(once.key)?.key).toBe(once.key);
      }),
    );
  });
});
