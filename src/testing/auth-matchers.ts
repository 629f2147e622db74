// Assertions on what a caller got, for `expect.extend` of Vitest.
import type {} from 'vitest';
import { assertCoordinate, assertReason, parseResponse } from './parse-response.ts';
import {
  type DenialReason,
  type Denied,
  denialsIn,
  errorsIn,
  isDenial,
  type ResponseBody,
} from './result.ts';

/** What `expect(result)` can say once it is extended. */
export interface AuthMatchers<R = void> {
  /**
   * Something was denied: for this reason, at this schema coordinate, where they are given. Holds for an answer that
   * delivers the rest, too.
   */
  toBeDenied(reason?: DenialReason, coordinate?: string): R;
  /** Nothing was denied, and there is data. Errors that are about something else are named when it fails. */
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
 * `expect.extend(authMatchers)`, for what `execute` and `subscribe` give and for the JSON of an answer. An answer that is neither, as an operation that does not fit the schema, fails both
 * matchers and both with `.not`.
 * @throws TypeError where something else is received, and where a reason or a coordinate is none
 */
export const authMatchers = {
  toBeDenied(this: MatcherState, received: unknown, reason?: DenialReason, coordinate?: string): Outcome {
    assertReason(reason);
    const { body, denials, isFailure, description } = read('toBeDenied', received);
    assertCoordinate(coordinate, body);
    if (denials.length === 0 && isFailure) return neither(this, description);
    const isMeant = (denied: Denied) =>
      (reason === undefined || denied.reason === reason) &&
      (coordinate === undefined || denied.coordinate === coordinate);
    const wanted = ['denied', reason, coordinate && `at ${coordinate}`].filter(Boolean).join(' ');
    return {
      pass: denials.some(isMeant),
      message: () => `expected the answer ${this.isNot ? 'not ' : ''}to be ${wanted}, got ${description}`,
    };
  },

  toBeAllowed(this: MatcherState, received: unknown): Outcome {
    const { denials, isFailure, description } = read('toBeAllowed', received);
    if (denials.length === 0 && isFailure) return neither(this, description);
    return {
      pass: denials.length === 0,
      message: () => `expected the answer ${this.isNot ? 'not ' : ''}to be allowed, got ${description}`,
    };
  },
};

/** Fails, with `.not` and without. */
function neither({ isNot = false }: MatcherState, description: string): Outcome {
  return {
    pass: isNot,
    message: () => `expected the answer to be allowed or denied, got neither: ${description}`,
  };
}

function read(matcher: string, received: unknown) {
  const { body, unexpected } = parseResponse(matcher, received);
  const denials = denialsIn(body);
  const isOpen = Object(received)[Symbol.asyncIterator] !== undefined && body.errors === undefined;
  return {
    body,
    denials,
    isFailure: !isOpen && (body.data === undefined || body.data === null),
    description: describe(body, denials, unexpected),
  };
}

/** What was got, a line for each error. */
function describe(body: ResponseBody, denials: readonly Denied[], unexpected: readonly unknown[]): string {
  const denied = denials.map(({ code, reason, coordinate, message }) =>
    [code, reason, coordinate && `at ${coordinate}`, !coordinate && `(${message})`].filter(Boolean).join(' '),
  );
  const others = errorsIn(body)
    .filter((error) => !isDenial(error))
    .map(({ extensions: { code = 'no code' } = {}, path = [], message }) =>
      [code, path.length > 0 && `at ${path.join('.')}`, `(${message})`].filter(Boolean).join(' '),
    );
  const behind = unexpected.map((error) => `behind "Unexpected error.": ${error}`);
  const isWithoutData = body.data === undefined || body.data === null;
  const first = isWithoutData ? 'no data' : `data ${JSON.stringify(body.data)}`;
  return [first, ...denied, ...others, ...behind].join('\n  ');
}
