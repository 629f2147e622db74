// What can be said of an answer, and what is said where it does not hold.
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
const ask = (query: string) => kit.as().execute(query);

/** What a matcher says when it fails. */
function saidBy(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('The assertion has held');
}

describe('of an answer that was refused', () => {
  it('toBeDenied holds, for its reason and its coordinate', async () => {
    const result = await ask('{ payroll }');
    expect(result).toBeDenied();
    expect(result).toBeDenied('MISSING_ROLE');
    expect(result).toBeDenied('MISSING_ROLE', 'Query.payroll');
    expect(result).toBeDenied(undefined, 'Query.payroll');
    expect(result).not.toBeDenied('MISSING_SCOPE');
    expect(result).not.toBeDenied('MISSING_ROLE', 'Query.open');
    expect(result).not.toBeAllowed();
  });

  it('what does not hold names what was got', async () => {
    const result = await ask('{ payroll }');
    const got = 'got no data\n  FORBIDDEN MISSING_ROLE at Query.payroll';
    expect(saidBy(() => expect(result).toBeAllowed())).toBe(`expected the answer to be allowed, ${got}`);
    expect(saidBy(() => expect(result).toBeDenied('MISSING_SCOPE', 'Query.open'))).toBe(
      `expected the answer to be denied MISSING_SCOPE at Query.open, ${got}`,
    );
    expect(saidBy(() => expect(result).not.toBeDenied())).toBe(
      `expected the answer not to be denied, ${got}`,
    );
  });

  it('the rest may have been delivered', async () => {
    const result = await partial.anonymous.execute('{ open payroll }');
    expect(result).toBeDenied('MISSING_TOKEN', 'Query.payroll');
    expect(result).not.toBeAllowed();
    expect(saidBy(() => expect(result).toBeAllowed())).toContain(
      'got data {"open":"open","payroll":null}\n  UNAUTHENTICATED MISSING_TOKEN at Query.payroll',
    );
  });

  it('a resolver of the app may have refused by itself', () => {
    const message = 'Not yours';
    const answer = { data: { mine: null }, errors: [{ message, extensions: { code: 'FORBIDDEN' } }] };
    expect(answer).toBeDenied();
    expect(answer).not.toBeAllowed();
    expect(saidBy(() => expect(answer).toBeAllowed())).toContain('FORBIDDEN (Not yours)');
  });

  it('a later part may have been', () => {
    const extensions = { code: 'FORBIDDEN', reason: 'MISSING_ROLE', coordinate: 'Query.payroll' };
    const answer = { data: {}, incremental: [{ data: null, errors: [{ message: 'no', extensions }] }] };
    expect(answer).toBeDenied('MISSING_ROLE', 'Query.payroll');
    expect(answer).not.toBeAllowed();
  });
});

describe('of an answer that was delivered', () => {
  it('toBeAllowed holds', async () => {
    const result = await ask('{ open mine }');
    expect(result).toBeAllowed();
    expect(result).not.toBeDenied();
    expect(result).not.toBeDenied('MISSING_ROLE', 'Query.open');
    expect(saidBy(() => expect(result).not.toBeAllowed())).toBe(
      'expected the answer not to be allowed, got data {"open":"open","mine":null}',
    );
    expect(saidBy(() => expect(result).toBeDenied('MISSING_ROLE'))).toBe(
      'expected the answer to be denied MISSING_ROLE, got data {"open":"open","mine":null}',
    );
  });

  it('other errors are no denials, and are named', async () => {
    const result = await ask('{ open fails }');
    expect(result).toBeAllowed();
    expect(result).not.toBeDenied();
    expect(saidBy(() => expect(result).toBeDenied())).toBe(
      [
        'expected the answer to be denied, got data {"open":"open","fails":null}',
        'INTERNAL_SERVER_ERROR at fails (Unexpected error.)',
        'behind "Unexpected error.": Error: the database is away',
      ].join('\n  '),
    );
  });

  it('a subscription that was opened is, and its events are', async () => {
    const subscription = await kit.as().subscribe('subscription { ticks }');
    expect(subscription).toBeAllowed();
    expect(subscription).not.toBeDenied();
    for await (const event of subscription) expect(event).toBeAllowed();
  });
});

describe('of an answer that is neither', () => {
  it.each([
    ['does not fit the schema', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED (Cannot query field'],
    ['is no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
    ['has failed as a whole', '{ failsHard }', 'behind "Unexpected error.": Error: the database is away'],
  ])('as it %s, nothing holds', async (_, query, got) => {
    const result = await ask(query);
    const all = [
      () => expect(result).toBeAllowed(),
      () => expect(result).not.toBeAllowed(),
      () => expect(result).toBeDenied(),
      () => expect(result).not.toBeDenied(),
    ];
    for (const assertion of all) {
      const said = saidBy(assertion);
      expect(said).toContain('expected the answer to be allowed or denied, got neither: no data');
      expect(said).toContain(got);
    }
  });
});

describe('of what is no answer', () => {
  const message = 'needs what execute or subscribe gives';
  const errors = [{ message: 'no', extensions: { code: 'FORBIDDEN', reason: 'MISSING_ROLE' } }];

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a text', 'data'],
    ['an empty object', {}],
    ['a list', []],
    ['a response', new Response('{}')],
    ['a function', () => {}],
    ['a response of a client that has read it', { data: { data: null, errors }, status: 200 }],
    ['a response of a client that was refused', { data: { errors }, status: 403 }],
    ['an answer in another', { data: { errors } }],
    ['a result of urql or Apollo', { data: { mine: null }, error: { graphQLErrors: errors } }],
    ['a result of a client that has an error', { data: undefined, error: new Error('no'), loading: false }],
    ['data that is a text', { data: '{"data":null}' }],
    ['data that is a list', { data: [{ data: {} }] }],
    ['errors that are none', { data: {}, errors: 'no' }],
    ['what only looks like a result of the kit', { data: {}, denials: [], status: 200 }],
  ])('as %s, nothing holds', (_, received) => {
    expect(saidBy(() => expect(received).toBeDenied())).toContain(message);
    expect(saidBy(() => expect(received).not.toBeDenied())).toContain(message);
    expect(saidBy(() => expect(received).toBeAllowed())).toContain(message);
    expect(saidBy(() => expect(received).not.toBeAllowed())).toContain(message);
  });

  it('names the keys that no answer has', () => {
    expect(saidBy(() => expect({ data: {}, status: 200, headers: {} }).toBeAllowed())).toContain(
      'an answer has no status, headers',
    );
  });

  it('all keys of an answer are known', () => {
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

  it('a promise has to be awaited', async () => {
    const result: Promise<TestResult> = ask('{ open }');
    expect(saidBy(() => expect(result).not.toBeDenied())).toContain('await it first');
    await expect(result).resolves.toBeAllowed();
  });

  it('a reason that there is not is a mistake', async () => {
    const result = await ask('{ open }');
    const misspelt = 'MISSING_ROLES' as DenialReason;
    expect(saidBy(() => expect(result).not.toBeDenied(misspelt))).toContain(
      '"MISSING_ROLES" is no reason of a denial',
    );
  });

  it.each(['payroll', 'Query.', '.payroll', 'Query.payroll.total', 'Query payroll', ''])(
    '"%s" is no coordinate',
    async (coordinate) => {
      const answers = [await ask('{ payroll }'), { errors: [] }, { data: {} }];
      for (const answer of answers) {
        const said = saidBy(() => expect(answer).not.toBeDenied('MISSING_ROLE', coordinate));
        expect(said).toContain(`"${coordinate}" is no coordinate`);
      }
    },
  );

  it.each(['Query.payrol', 'Qery.payroll', 'String.payroll'])(
    '%s is no field of the schema',
    async (coordinate) => {
      const said = `"${coordinate}" is no field of the schema`;
      for (const result of [await ask('{ open }'), await ask('{ payroll }')]) {
        expect(saidBy(() => expect(result).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(said);
        expect(saidBy(() => expect(result).toBeDenied(undefined, coordinate))).toContain(said);
      }
      const refused = await kit.anonymous.subscribe('subscription { closed }');
      expect(refused).toBeDenied('MISSING_TOKEN', 'Subscription.closed');
      expect(saidBy(() => expect(refused).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(said);
      const opened = await kit.as().subscribe('subscription { ticks }');
      expect(saidBy(() => expect(opened).not.toBeDenied('MISSING_ROLE', coordinate))).toContain(said);
      await opened.return?.();
    },
  );

  it('meta-fields are fields, and so are those that an introspection does not show', async () => {
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

it('nothing of Vitest is needed at run time', () => {
  const folder = join(import.meta.dirname, '../../../src/testing');
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  const imports = lines.filter((line) => /from '.*vitest/.test(line));
  expect(imports).toEqual(["import type {} from 'vitest';"]);
});
