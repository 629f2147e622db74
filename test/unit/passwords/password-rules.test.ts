// Rules for new passwords, and normalization.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPasswordIssue, isTooLong, normalizePassword } from '../../../src/passwords/password-rules.ts';

const EMAIL = 'ada.lovelace@example.com';
const SHORT = 'must have at least 8 characters';
const LONG = 'must have at most 256 characters';
const COMMON = 'must not be one of the most common passwords';
const LOCAL_PART = 'must not contain the part of the email before the @';

describe('findPasswordIssue', () => {
  it.each([
    ['words', 'correct horse battery staple'],
    ['eight characters', 'x7%kQ2!a'],
    ['eight characters outside the basic plane', '🦊🐻🐼🐨🐯🦁🐮🐷'],
    ['256 characters', 'xy'.repeat(128)],
    ['256 characters outside the basic plane', '🦊'.repeat(256)],
    ['only spaces', ' '.repeat(9)],
    ['control characters', '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007'],
    ['a common word inside a longer one', 'password-of-the-lighthouse'],
    ['an unpaired surrogate', `\ud800${'x7%kQ2!a'}`],
  ])('accepts %s', (_, password) => {
    expect(findPasswordIssue(password, EMAIL)).toBeUndefined();
  });

  it.each([
    ['an empty string', '', SHORT],
    ['seven characters', 'x7%kQ2!', SHORT],
    ['seven characters of two code units each', '🦊'.repeat(7), SHORT],
    ['seven characters written with combining marks', 'e\u0301'.repeat(7), SHORT],
    ['257 characters', 'x'.repeat(257), LONG],
    ['257 characters after compatibility decomposition', '\ufb03'.repeat(86), LONG],
    ['a million characters', 'x'.repeat(1_000_000), LONG],
    ['a common password', 'password1', COMMON],
    ['a common password in capitals', 'PassWord1', COMMON],
    ['a common password in full-width letters', 'ｐａｓｓｗｏｒｄ１', COMMON],
    ['the local part of the email', 'ada.lovelace', LOCAL_PART],
    ['the local part in capitals, inside other text', 'xxADA.LOVELACE99', LOCAL_PART],
  ])('rejects %s', (_, password, issue) => {
    expect(findPasswordIssue(password, EMAIL)).toBe(issue);
  });

  it('ignores a local part of one or two characters', () => {
    expect(findPasswordIssue('a lighthouse at sea', 'al@example.com')).toBeUndefined();
    expect(findPasswordIssue('a lighthouse at sea', 'sea@example.com')).toBe(LOCAL_PART);
  });

  it('returns no message that contains the password', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3, maxLength: 300, unit: 'binary' }), (password) => {
        const issue = findPasswordIssue(password, EMAIL);
        // A message can contain a few characters by chance.
        if (password.length > 5) expect(issue ?? '').not.toContain(password);
      }),
    );
  });
});

describe('normalizePassword', () => {
  it.each([
    ['combining marks', 'cafe\u0301', 'café'],
    ['full-width letters', 'ａｂｃ', 'abc'],
    ['ligatures', 'ﬃ', 'ffi'],
  ])('makes both ways to type %s equal', (_, typed, other) => {
    expect(normalizePassword(typed)).toBe(normalizePassword(other));
  });

  it('neither trims nor folds case', () => {
    expect(normalizePassword(' Ab ')).toBe(' Ab ');
  });

  it('measures every Unicode form of a password alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 200, maxLength: 300 }), (password) => {
        expect(isTooLong(password.normalize('NFKD'))).toBe(isTooLong(password.normalize('NFKC')));
      }),
    );
  });
});
