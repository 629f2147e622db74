// `@auth(maxAge:)` for principals whose time of sign-in makes no sense.
import { describe, expect, it } from 'vitest';
import { checkRequirement } from '../../../src/authorization/check-requirement.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const NOW = new Date('2026-01-31T12:00:00.000Z');

function reasonAt(authenticatedAt: unknown): string | undefined {
  const principal = { ...createPrincipal(), authenticatedAt: authenticatedAt as Date }; // wrong on purpose, in some cases
  const caller = { principal, tokenProblem: undefined, now: () => NOW };
  return checkRequirement([{ maxAge: 300 }], caller)?.reason;
}
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('a maximum age', () => {
  it.each([
    ['in time', at(-300)],
    ['now', at(0)],
    ['by a clock that is five minutes ahead', at(300)],
  ])('is met by a sign-in %s', (_, date) => {
    expect(reasonAt(date)).toBeUndefined();
  });

  it.each([
    ['too long ago', at(-301)],
    ['in the future', at(301)],
    ['in a year', at(31_536_000)],
    ['at no time', new Date(Number.NaN)],
  ])('is not met by a sign-in %s', (_, date) => {
    expect(reasonAt(date)).toBe('REAUTHENTICATION_REQUIRED');
  });
});
