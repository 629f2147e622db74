// Assertions on responses, for `expect.extend` of Vitest.
import type {} from 'vitest';
import { assertCoordinate, assertReason, parseResponse } from './parse-response.ts';
import {
  type DenialReason,
  type Denied,
  findDenials,
  findErrors,
  isDenial,
  type ResponseBody,
} from './result.ts';

/** Assertions of `expect(result)` after `expect.extend(authMatchers)`. */
export interface AuthMatchers<R = void> {
  /**
   * Passes if a field was denied, also if the response contains the data of other fields.
   *
   * @param reason expected reason of a denial; undefined: any
   * @param coordinate expected field, such as `Query.payroll`; undefined: any
   * @throws TypeError if the reason is unknown or the coordinate is not a field of the schema, with `.not` too
   * @example expect(await kit.as().execute('{ payroll }')).toBeDenied('MISSING_ROLE', 'Query.payroll')
   */
  toBeDenied(reason?: DenialReason, coordinate?: string): R;
  /**
   * Passes if no field was denied and the response has data, also if there are other errors.
   *
   * @example expect(await kit.anonymous.execute('{ news }')).toBeAllowed()
   */
  toBeAllowed(): R;
}

declare module 'vitest' {
  interface Matchers<R, T> extends AuthMatchers<R> {}
}

interface MatcherState {
  isNot?: boolean;
}

interface Outcome {
  pass: boolean;
  message: () => string;
}

/**
 * Matchers for results of `execute` and `subscribe`, and for GraphQL responses as JSON. A response that is neither allowed nor
 * denied, such as one with a validation error, fails both matchers, with and without `.not`.
 *
 * @throws TypeError if the received value is not a result or response
 * @example expect.extend(authMatchers)
 */
export const authMatchers = {
  toBeDenied(this: MatcherState, received: unknown, reason?: DenialReason, coordinate?: string): Outcome {
    assertReason(reason);
    const { body, denials, isFailure, description } = read('toBeDenied', received);
    assertCoordinate(coordinate, body);
    if (denials.length === 0 && isFailure) return failBoth(this, description);
    const isMatch = (denied: Denied) =>
      (reason === undefined || denied.reason === reason) &&
      (coordinate === undefined || denied.coordinate === coordinate);
    const expected = ['denied', reason, coordinate && `at ${coordinate}`].filter(Boolean).join(' ');
    return {
      pass: denials.some(isMatch),
      message: () => `expected the response ${this.isNot ? 'not ' : ''}to be ${expected}, got ${description}`,
    };
  },

  toBeAllowed(this: MatcherState, received: unknown): Outcome {
    const { denials, isFailure, description } = read('toBeAllowed', received);
    if (denials.length === 0 && isFailure) return failBoth(this, description);
    return {
      pass: denials.length === 0,
      message: () => `expected the response ${this.isNot ? 'not ' : ''}to be allowed, got ${description}`,
    };
  },
};

/** Fails with and without `.not`. */
function failBoth({ isNot = false }: MatcherState, description: string): Outcome {
  return {
    pass: isNot,
    message: () => `expected the response to be allowed or denied, got neither: ${description}`,
  };
}

function read(matcher: string, received: unknown) {
  const { body, unexpected } = parseResponse(matcher, received);
  const denials = findDenials(body);
  const isOpen = Object(received)[Symbol.asyncIterator] !== undefined && body.errors === undefined;
  return {
    body,
    denials,
    isFailure: !isOpen && (body.data === undefined || body.data === null),
    description: describe(body, denials, unexpected),
  };
}

/** Describes a response: its data, and a line for each error. */
function describe(body: ResponseBody, denials: readonly Denied[], unexpected: readonly unknown[]): string {
  const denied = denials.map(({ code, reason, coordinate, message }) =>
    [code, reason, coordinate && `at ${coordinate}`, !coordinate && `(${message})`].filter(Boolean).join(' '),
  );
  const others = findErrors(body)
    .filter((error) => !isDenial(error))
    .map(({ extensions: { code = 'no code' } = {}, path = [], message }) =>
      [code, path.length > 0 && `at ${path.join('.')}`, `(${message})`].filter(Boolean).join(' '),
    );
  const causes = unexpected.map((error) => `cause of "Unexpected error.": ${error}`);
  const isWithoutData = body.data === undefined || body.data === null;
  const first = isWithoutData ? 'no data' : `data ${JSON.stringify(body.data)}`;
  return [first, ...denied, ...others, ...causes].join('\n  ');
}
