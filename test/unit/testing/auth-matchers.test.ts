// Matchers for responses, and their messages.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  authMatchers,
  createTestKit,
  type DenialReason,
  type TestResult,
} from '../../../src/testing/index.ts';

expect.extend(authMatchers);

const typeDefs = /* GraphQL */ `
  type Query {
    open: String
    payroll: String @auth(roles: ["admin"])
    fails: String
    failsHard: String!
    mine: String
  }
  type Subscription { ticks: Int closed: Int @auth }
`;
const fails = () => Promise.reject(new Error('the database is away'));
const resolvers = {
  Query: { open: () => 'open', payroll: () => 'p', fails, failsHard: fails },
  Subscription: {
    ticks: {
      async *subscribe() {
        yield { ticks: 1 };
      },
    },
  },
};
const kit = createTestKit({ typeDefs, resolvers });
const partial = createTestKit({ typeDefs, resolvers }, { onDenied: 'null' });
const run = (query: string) => kit.as().execute(query);

/** Message of a failed assertion. */
function messageOf(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('The assertion passed');
}

describe('a denied response', () => {
  it('toBeDenied passes for the reason and coordinate of a denial', async () => {
    const result = await run('{ payroll }');
    expect(result).toBeDenied();
    expect(result).toBeDenied('MISSING_ROLE');
    expect(result).toBeDenied('MISSING_ROLE', 'Query.payroll');
    expect(result).toBeDenied(undefined, 'Query.payroll');
    expect(result).not.toBeDenied('MISSING_SCOPE');
    expect(result).not.toBeDenied('MISSING_ROLE', 'Query.open');
    expect(result).not.toBeAllowed();
  });

  it('a failed assertion shows the denials of the response', async () => {
    const result = await run('{ payroll }');
    const got = 'got no data\n  FORBIDDEN MISSING_ROLE at Query.payroll';
    expect(messageOf(() => expect(result).toBeAllowed())).toBe(`expected the response to be allowed, ${got}`);
    expect(messageOf(() => expect(result).toBeDenied('MISSING_SCOPE', 'Query.open'))).toBe(
      `expected the response to be denied MISSING_SCOPE at Query.open, ${got}`,
    );
    expect(messageOf(() => expect(result).not.toBeDenied())).toBe(
      `expected the response not to be denied, ${got}`,
    );
  });

  it('toBeDenied passes if the other fields were delivered', async () => {
    const result = await partial.anonymous.execute('{ open payroll }');
    expect(result).toBeDenied('MISSING_TOKEN', 'Query.payroll');
    expect(result).not.toBeAllowed();
    expect(messageOf(() => expect(result).toBeAllowed())).toContain(
      'got data {"open":"open","payroll":null}\n  UNAUTHENTICATED MISSING_TOKEN at Query.payroll',
    );
  });

  it('toBeDenied passes if a resolver of the app denied access', () => {
    const message = 'Not yours';
    const response = { data: { mine: null }, errors: [{ message, extensions: { code: 'FORBIDDEN' } }] };
    expect(response).toBeDenied();
    expect(response).not.toBeAllowed();
    expect(messageOf(() => expect(response).toBeAllowed())).toContain('FORBIDDEN (Not yours)');
  });

  it('toBeDenied passes for a denial in an incremental result', () => {
    const extensions = { code: 'FORBIDDEN', reason: 'MISSING_ROLE', coordinate: 'Query.payroll' };
    const response = { data: {}, incremental: [{ data: null, errors: [{ message: 'no', extensions }] }] };
    expect(response).toBeDenied('MISSING_ROLE', 'Query.payroll');
    expect(response).not.toBeAllowed();
  });
});

describe('an allowed response', () => {
  it('toBeAllowed passes for a response with data and no denial', async () => {
    const result = await run('{ open mine }');
    expect(result).toBeAllowed();
    expect(result).not.toBeDenied();
    expect(result).not.toBeDenied('MISSING_ROLE', 'Query.open');
    expect(messageOf(() => expect(result).not.toBeAllowed())).toBe(
      'expected the response not to be allowed, got data {"open":"open","mine":null}',
    );
    expect(messageOf(() => expect(result).toBeDenied('MISSING_ROLE'))).toBe(
      'expected the response to be denied MISSING_ROLE, got data {"open":"open","mine":null}',
    );
  });

  it('toBeAllowed passes despite other errors, and messages show them', async () => {
    const result = await run('{ open fails }');
    expect(result).toBeAllowed();
    expect(result).not.toBeDenied();
    expect(messageOf(() => expect(result).toBeDenied())).toBe(
      [
        'expected the response to be denied, got data {"open":"open","fails":null}',
        'INTERNAL_SERVER_ERROR at fails (Unexpected error.)',
        'cause of "Unexpected error.": Error: the database is away',
      ].join('\n  '),
    );
  });

  it('toBeAllowed passes for an open subscription and its events', async () => {
    const subscription = await kit.as().subscribe('subscription { ticks }');
    expect(subscription).toBeAllowed();
    expect(subscription).not.toBeDenied();
    for await (const event of subscription) expect(event).toBeAllowed();
  });
});

describe('a response that is neither allowed nor denied', () => {
  it.each([
    ['a validation error', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED (Cannot query field'],
    ['a syntax error', '{', 'GRAPHQL_PARSE_FAILED'],
    ['no data after an error', '{ failsHard }', 'cause of "Unexpected error.": Error: the database is away'],
  ])('both matchers fail for a response with %s, with and without not', async (_, query, got) => {
    const result = await run(query);
    const all = [
      () => expect(result).toBeAllowed(),
      () => expect(result).not.toBeAllowed(),
      () => expect(result).toBeDenied(),
      () => expect(result).not.toBeDenied(),
    ];
    for (const assertion of all) {
      const message = messageOf(assertion);
      expect(message).toContain('expected the response to be allowed or denied, got neither: no data');
      expect(message).toContain(got);
    }
  });
});

describe('invalid input of matchers', () => {
  const advice = 'expected a result of execute or subscribe';
  const errors = [{ message: 'no', extensions: { code: 'FORBIDDEN', reason: 'MISSING_ROLE' } }];

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', 'data'],
    ['an empty object', {}],
    ['a list', []],
    ['a response', new Response('{}')],
    ['a function', () => {}],
    ['a successful result of an HTTP client', { data: { data: null, errors }, status: 200 }],
    ['a failed result of an HTTP client', { data: { errors }, status: 403 }],
    ['a response inside another', { data: { errors } }],
    ['a result of urql or Apollo', { data: { mine: null }, error: { graphQLErrors: errors } }],
    ['a failed result of Apollo Client', { data: undefined, error: new Error('no'), loading: false }],
    ['data that is a string', { data: '{"data":null}' }],
    ['data that is a list', { data: [{ data: {} }] }],
    ['errors that are not a list', { data: {}, errors: 'no' }],
    ['an incomplete result of the kit', { data: {}, denials: [], status: 200 }],
  ])('every assertion throws for %s', (_, received) => {
    expect(messageOf(() => expect(received).toBeDenied())).toContain(advice);
    expect(messageOf(() => expect(received).not.toBeDenied())).toContain(advice);
    expect(messageOf(() => expect(received).toBeAllowed())).toContain(advice);
    expect(messageOf(() => expect(received).not.toBeAllowed())).toContain(advice);
  });

  it('the message names keys that a response cannot have', () => {
    expect(messageOf(() => expect({ data: {}, status: 200, headers: {} }).toBeAllowed())).toContain(
      'a response has no status, headers',
    );
  });

  it('the matchers accept every key of a response', () => {
    expect({
      data: {},
      extensions: {},
      pending: [],
      incremental: [],
      completed: [],
      hasNext: false,
    }).toBeAllowed();
    expect({ errors }).toBeDenied('MISSING_ROLE');
  });

  it('a promise must be awaited', async () => {
    const result: Promise<TestResult> = run('{ open }');
    expect(messageOf(() => expect(result).not.toBeDenied())).toContain('await it first');
    await expect(result).resolves.toBeAllowed();
  });

  it('an unknown reason throws', async () => {
    const result = await run('{ open }');
    const misspelt = 'MISSING_ROLES' as DenialReason;
    expect(messageOf(() => expect(result).not.toBeDenied(misspelt))).toContain(
      'unknown reason "MISSING_ROLES"',
    );
  });

  it.each(['payroll', 'Query.', '.payroll', 'Query.payroll.total', 'Query payroll', ''])(
    'the malformed coordinate "%s" throws',
    async (coordinate) => {
      const responses = [await run('{ payroll }'), { errors: [] }, { data: {} }];
      for (const response of responses) {
        const message = messageOf(() => expect(response).not.toBeDenied('MISSING_ROLE', coordinate));
        expect(message).toContain(`"${coordinate}" is not a field's coordinate`);
      }
    },
  );

  it.each(['Query.payrol', 'Qery.payroll', 'String.payroll'])(
    'the coordinate %s throws, because the schema has no such field',
    async (coordinate) => {
      const message = `"${coordinate}" is not a field of the schema`;
      for (const result of [await run('{ open }'), await run('{ payroll }')]) {
        expect(messageOf(() => expect(result).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(message);
        expect(messageOf(() => expect(result).toBeDenied(undefined, coordinate))).toContain(message);
      }
      const rejected = await kit.anonymous.subscribe('subscription { closed }');
      expect(rejected).toBeDenied('MISSING_TOKEN', 'Subscription.closed');
      expect(messageOf(() => expect(rejected).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(message);
      const opened = await kit.as().subscribe('subscription { ticks }');
      expect(messageOf(() => expect(opened).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(message);
      await opened.return?.();
    },
  );

  it('coordinates of meta-fields and hidden fields are valid', async () => {
    const closed = createTestKit({ typeDefs, resolvers }, { defaultAccess: 'deny' });
    const result = await closed.anonymous.execute('{ __typename }');
    expect(result).toBeDenied('MISSING_TOKEN', 'Query.__typename');
    expect(result).not.toBeDenied('MISSING_TOKEN', 'Query.__schema');
    expect(await kit.anonymous.execute('{ __schema { queryType { name } } }')).not.toBeDenied(
      'MISSING_TOKEN',
      'Query.payroll',
    );
  });
});

it('bandha/testing imports only types from Vitest', () => {
  const folder = join(import.meta.dirname, '../../../src/testing');
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  const imports = lines.filter((line) => /from '.*vitest/.test(line));
  expect(imports).toEqual(["import type {} from 'vitest';"]);
});
