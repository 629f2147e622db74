// Which passwords are accepted, and when two of them are the same.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPasswordIssue, isTooLong, normalizePassword } from '../../../src/passwords/password-rules.ts';

const EMAIL = 'ada.lovelace@example.com';
const SHORT = 'must have at least 8 characters';
const LONG = 'must have at most 256 characters';
const COMMON = 'must not be one of the most common passwords';
const LOCAL_PART = 'must not contain the part of the email before the @';

describe('checking a new password', () => {
  it.each([
    ['words', 'correct horse battery staple'],
    ['eight characters', 'x7%kQ2!a'],
    ['eight characters outside the basic plane', '🦊🐻🐼🐨🐯🦁🐮🐷'],
    ['256 characters', 'xy'.repeat(128)],
    ['256 characters outside the basic plane', '🦊'.repeat(256)],
    ['spaces alone', ' '.repeat(9)],
    ['control characters', '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007'],
    ['a common word inside a longer one', 'password-of-the-lighthouse'],
    ['a lone half of a surrogate pair', `\ud800${'x7%kQ2!a'}`],
  ])('accepts %s', (_, password) => {
    expect(findPasswordIssue(password, EMAIL)).toBeUndefined();
  });

  it.each([
    ['nothing', '', SHORT],
    ['seven characters', 'x7%kQ2!', SHORT],
    ['seven characters that take fourteen units', '🦊'.repeat(7), SHORT],
    ['seven characters written with combining marks', 'e\u0301'.repeat(7), SHORT],
    ['257 characters', 'x'.repeat(257), LONG],
    ['257 characters once compatibility forms are spelled out', '\ufb03'.repeat(86), LONG],
    ['a million characters', 'x'.repeat(1_000_000), LONG],
    ['a common one', 'password1', COMMON],
    ['a common one in capitals', 'PassWord1', COMMON],
    ['a common one in full-width letters', 'ｐａｓｓｗｏｒｄ１', COMMON],
    ['the local part of the email', 'ada.lovelace', LOCAL_PART],
    ['the local part inside, in capitals', 'xxADA.LOVELACE99', LOCAL_PART],
  ])('refuses %s', (_, password, weakness) => {
    expect(findPasswordIssue(password, EMAIL)).toBe(weakness);
  });

  it('does not mind a local part of one or two characters', () => {
    expect(findPasswordIssue('a lighthouse at sea', 'al@example.com')).toBeUndefined();
    expect(findPasswordIssue('a lighthouse at sea', 'sea@example.com')).toBe(LOCAL_PART);
  });

  it('never repeats the password in what it says', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3, maxLength: 300, unit: 'binary' }), (password) => {
        const weakness = findPasswordIssue(password, EMAIL);
        // A few characters may stand in any sentence by chance.
        if (password.length > 5) expect(weakness ?? '').not.toContain(password);
      }),
    );
  });
});

describe('normalizing a password', () => {
  it.each([
    ['combining marks', 'cafe\u0301', 'café'],
    ['full-width letters', 'ａｂｃ', 'abc'],
    ['ligatures', 'ﬃ', 'ffi'],
  ])('makes one of two ways to type %s', (_, typed, other) => {
    expect(normalizePassword(typed)).toBe(normalizePassword(other));
  });

  it('neither trims nor folds case', () => {
    expect(normalizePassword(' Ab ')).toBe(' Ab ');
  });

  it('decides the length alike for every spelling of a password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 200, maxLength: 300 }), (password) => {
        expect(isTooLong(password.normalize('NFKD'))).toBe(isTooLong(password.normalize('NFKC')));
      }),
    );
  });
});
