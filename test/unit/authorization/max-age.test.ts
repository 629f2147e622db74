// `@auth(maxAge:)` at its limits, and for sign-in times that are invalid or in the future.
import { describe, expect, it } from 'vitest';
import { checkRequirement } from '../../../src/authorization/check-requirement.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const NOW = new Date('2026-01-31T12:00:00.000Z');

function reasonAt(authenticatedAt: unknown): string | undefined {
  const principal = { ...createPrincipal(), authenticatedAt: authenticatedAt as Date }; // cast: some cases are invalid on purpose
  const caller = { principal, tokenProblem: undefined, now: () => NOW };
  return checkRequirement([{ maxAge: 300 }], caller)?.reason;
}
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('a maximum age', () => {
  it.each([
    ['300 seconds ago', at(-300)],
    ['now', at(0)],
    ['by a clock that is five minutes ahead', at(300)],
  ])('a sign-in meets maxAge: %s', (_, date) => {
    expect(reasonAt(date)).toBeUndefined();
  });

  it.each([
    ['301 seconds ago', at(-301)],
    ['in the future', at(301)],
    ['in a year', at(31_536_000)],
    ['at an invalid date', new Date(Number.NaN)],
  ])('a sign-in does not meet maxAge: %s', (_, date) => {
    expect(reasonAt(date)).toBe('REAUTHENTICATION_REQUIRED');
  });
});
