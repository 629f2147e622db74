// Reports all issues of several parsers at once.
import { expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { parseAll } from '../../../src/utils/collect-issues.ts';

const fail = (issue: string) => () => {
  throw new ConfigError([issue]);
};

it('parseAll returns the result of each parser', () => {
  expect(parseAll({ port: () => 4000, host: () => 'localhost' })).toEqual({ port: 4000, host: 'localhost' });
});

it('parseAll throws one error with the issues of all parsers', () => {
  const parse = () =>
    parseAll({ one: fail('one: must be 1'), two: () => 2, three: fail('three: must be 3') });
  expect(parse).toThrow(expect.objectContaining({ issues: ['one: must be 1', 'three: must be 3'] }));
});

it('parseAll throws an error of another kind at once', () => {
  const parse = () =>
    parseAll({
      one: () => {
        throw new TypeError('broken');
      },
    });
  expect(parse).toThrow(TypeError);
});
