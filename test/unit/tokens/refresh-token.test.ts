// Refresh tokens: created and parsed with the same secret only.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRefreshToken, parseRefreshToken } from '../../../src/tokens/refresh-token.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const secrets = createSecrets(TEST_SECRET);
const SESSION = '0f1e2d3c-4b5a-4678-8abc-def012345678';
const TOKEN = createRefreshToken({ sessionId: SESSION, generation: 7 }, secrets);
const [, , MAC] = TOKEN.split('.');

const session = fc.uuid();
const generation = fc.integer({ min: 1, max: 999_999_999_999_999 });

describe('a refresh token', () => {
  it('round-trips through create and parse', () => {
    fc.assert(
      fc.property(session, generation, (sessionId, generation) => {
        const token = createRefreshToken({ sessionId, generation }, secrets);
        expect(parseRefreshToken(token, secrets)).toEqual({ sessionId, generation });
      }),
    );
  });

  it('depends on the generation and the secret only', () => {
    expect(createRefreshToken({ sessionId: SESSION, generation: 7 }, secrets)).toBe(TOKEN);
    expect(createRefreshToken({ sessionId: SESSION, generation: 7 }, createSecrets(TEST_SECRET))).toBe(TOKEN);
    expect(createRefreshToken({ sessionId: SESSION, generation: 8 }, secrets)).not.toContain(MAC);
  });

  it('needs no escaping in URLs and JSON', () => {
    expect(TOKEN).toMatch(/^[\w.-]+$/);
  });

  it('parses to undefined under another secret', () => {
    expect(parseRefreshToken(TOKEN, createSecrets(`${TEST_SECRET}!`))).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['two parts', `${SESSION}.7`],
    ['four parts', `${TOKEN}.x`],
    ['another generation', `${SESSION}.8.${MAC}`],
    ['generation 0', `${SESSION}.0.${MAC}`],
    ['a leading zero', `${SESSION}.07.${MAC}`],
    ['a sign', `${SESSION}.+7.${MAC}`],
    ['an exponent', `${SESSION}.7e0.${MAC}`],
    ['a generation beyond exact numbers', `${SESSION}.9007199254740993.${MAC}`],
    ['another session', `${SESSION.replace('0f', '1f')}.7.${MAC}`],
    ['the session in capitals', `${SESSION.toUpperCase()}.7.${MAC}`],
    ['no mac', `${SESSION}.7.`],
    ['a padded mac', `${TOKEN}=`],
    ['a line break behind', `${TOKEN}\n`],
    ['a space in front', ` ${TOKEN}`],
    ['a mac of other letters', `${SESSION}.7.${'é'.repeat(43)}`],
    ['a million characters', 'x'.repeat(1_000_000)],
  ])('parses to undefined with %s', (_, token) => {
    expect(parseRefreshToken(token, secrets)).toBeUndefined();
  });

  it('parses to undefined if any one character is changed', () => {
    const characters = fc.constantFrom(...'0123456789abcdefABCDEFxyz_-.');
    fc.assert(
      fc.property(fc.nat({ max: TOKEN.length - 1 }), characters, (at, character) => {
        fc.pre(TOKEN[at] !== character);
        const changed = TOKEN.slice(0, at) + character + TOKEN.slice(at + 1);
        expect(parseRefreshToken(changed, secrets)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
