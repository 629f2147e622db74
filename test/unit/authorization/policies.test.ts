// Policies: who is asked what, how often, and what their answers do.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import type { Policy, PolicyInput } from '../../../src/authorization/policies.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  input Filter { owner: String = "nobody" limit: Int }
  enum Order { UP DOWN }
  scalar Day
  type Query {
    open: String
    own(id: ID, count: Int = 3, filter: Filter, order: Order = UP, day: Day): String @auth(policies: [["owner"]])
    both: String @auth(policies: [["owner", "paid"]])
    either: String @auth(policies: [["owner"], ["paid"]])
    federated: String @policy(policies: [["owner"]])
    roleToo: String @auth(roles: ["admin"], policies: [["owner"]])
    doc(id: ID): Doc
    docs(id: ID): [Thing]
    thing(id: ID = "7"): Thing
    box: Box
  }
  interface Thing { id: ID }
  type Doc implements Thing @auth(policies: [["owner"]]) { id: ID }
  type Note implements Thing { id: ID }
  type Box { own(id: ID): String @auth(policies: [["owner"]]) }
`;
const DOC = { __typename: 'Doc', id: 'SECRET' };
const DATA: Record<string, unknown> = {
  ...{ open: 'o', own: 'mine', both: 'b', either: 'e', federated: 'f', roleToo: 'r', box: {} },
  ...{ doc: DOC, docs: [{ __typename: 'Note', id: 1 }, DOC, DOC], thing: DOC },
};
const ADA = createPrincipal();
type Policies = Record<string, Policy>;
const YES: Policies = { owner: () => true, paid: () => true };
const NO: Policies = { owner: () => false, paid: () => false };

function createApp(policies: Policies, options: GuardOptions & { principal?: Principal | null } = {}) {
  const { principal = ADA, ...rest } = options;
  const asked: (PolicyInput & { policy: string })[] = [];
  const calls: string[] = [];
  const warnings: { details: object; message: string }[] = [];
  const contexts = new Set<unknown>();
  const schema = mapSchema(makeExecutableSchema({ typeDefs: TYPES }), {
    [MapperKind.OBJECT_FIELD]: (config, field, type) => ({
      ...config,
      resolve(source, _args, context) {
        calls.push(`${type}.${field}`);
        contexts.add(context);
        return (source ?? DATA)[field] ?? DATA[field];
      },
    }),
  });
  const noted = Object.entries(policies).map(([policy, answer]): [string, Policy] => [
    policy,
    (question) => {
      asked.push({ ...question, policy });
      return answer(question);
    },
  ]);
  const guard = useGuard({
    policies: Object.fromEntries(noted),
    log: { warn: (details, message) => warnings.push({ details, message }) },
    ...rest,
  });
  const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), guard] });
  const post = createSender(yoga);
  const ask = (query: string, variables?: object) => post(query, { variables });
  const complaints = () => warnings.filter(({ message }) => message === 'policy failed; access denied');
  return { ask, asked, calls, complaints, contexts };
}

type Answer = Awaited<ReturnType<ReturnType<typeof createApp>['ask']>>;
function expectDenied({ status, body }: Answer) {
  expect(body).not.toHaveProperty('data');
  expect(new Set(body.errors.map((error: { extensions: object }) => error.extensions))).toEqual(
    new Set(body.errors.map(() => expect.objectContaining({ code: 'FORBIDDEN', reason: 'POLICY_DENIED' }))),
  );
  expect(status).toBe(403);
}

describe('the answers of policies', () => {
  const only = (...names: string[]): Policies => ({
    owner: () => names.includes('owner'),
    paid: () => names.includes('paid'),
  });
  it.each<[string, Policies, string, boolean]>([
    ['yes lets through', YES, 'own', true],
    ['no denies', NO, 'own', false],
    ['Federation’s @policy asks too: yes', YES, 'federated', true],
    ['Federation’s @policy asks too: no', NO, 'federated', false],
    ['every policy of a set must say yes: one', only('owner'), 'both', false],
    ['every policy of a set must say yes: all', YES, 'both', true],
    ['one set is enough: the first', only('owner'), 'either', true],
    ['one set is enough: the second', only('paid'), 'either', true],
    ['one set is enough: none', NO, 'either', false],
    ['a promise of yes lets through', { ...YES, owner: async () => true }, 'own', true],
    ['a promise of no denies', { ...YES, owner: async () => false }, 'own', false],
  ])('%s', async (_, policies, field, isAllowed) => {
    const { ask, calls } = createApp(policies);
    const answer = await ask(`{ open ${field} }`);
    if (isAllowed) expect(answer.body).toEqual({ data: { open: 'o', [field]: DATA[field] } });
    else expectDenied(answer);
    expect(calls).toEqual(isAllowed ? ['Query.open', `Query.${field}`] : []);
  });

  it.each([1, 'true', {}, [], 'yes', null, undefined, Promise.resolve('yes')])(
    'that are not true deny: %j',
    async (value) => {
      const { ask, calls } = createApp({ ...YES, owner: () => value as boolean }); // as JavaScript may answer
      expectDenied(await ask('{ own }'));
      expect(calls).toEqual([]);
    },
  );

  it.each<[string, Policy]>([
    [
      'throws',
      () => {
        throw new Error('database is away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('database is away'))],
  ])('deny and are logged when a policy %s', async (_, owner) => {
    const { ask, calls, complaints } = createApp({ ...YES, owner });
    const answer = await ask('{ own }');
    expectDenied(answer);
    expect(JSON.stringify(answer.body)).not.toContain('database');
    expect(calls).toEqual([]);
    expect(complaints()).toEqual([
      {
        details: { policy: 'owner', fieldName: 'own', err: new Error('database is away') },
        message: 'policy failed; access denied',
      },
    ]);
  });
});

describe('a policy is asked', () => {
  it('once for the same arguments in one request, and again for others', async () => {
    const { ask, asked } = createApp(YES);
    await ask(
      '{ a: own(id: 1) b: own(id: "1") c: own(id: 2) d: own(id: 1, count: 3) e: own(id: 1, count: 4) }',
    );
    expect(asked.map(({ args }) => [args.id, args.count])).toEqual([
      ['1', 3],
      ['2', 3],
      ['1', 4],
    ]);
  });

  it('again in the next request', async () => {
    let answer = true;
    const { ask, asked } = createApp({ ...YES, owner: () => answer });
    expect((await ask('{ own(id: 1) }')).status).toBe(200);
    answer = false;
    expectDenied(await ask('{ own(id: 1) }'));
    expect(asked).toHaveLength(2);
  });

  it('together with all others', async () => {
    const { promise: everyone, resolve } = Promise.withResolvers<boolean>();
    let count = 0;
    const wait = () => {
      count += 1;
      if (count === 5) resolve(true);
      return everyone;
    };
    const { ask } = createApp({ owner: wait, paid: wait });
    const { body } = await ask('{ own(id: 1) second: own(id: 2) both federated }');
    expect(body.errors).toBeUndefined();
    expect(count).toBe(5);
  });

  it.each<[string, object?]>([
    ['{ own(id: 5, filter: { limit: 2 }, day: "2026-01-31") }'],
    [
      'query ($id: ID, $filter: Filter, $day: Day) { own(id: $id, filter: $filter, day: $day) }',
      { id: 5, filter: { limit: 2 }, day: '2026-01-31' },
    ],
    [
      'query ($id: ID = 5, $limit: Int = 2, $day: Day = "2026-01-31", $not: Int) { own(id: $id, count: $not, filter: { limit: $limit }, day: $day) }',
      {},
    ],
  ])('with coerced arguments, defaults included: %s', async (query, variables) => {
    const { ask, asked } = createApp(YES);
    expect((await ask(query, variables)).body).toEqual({ data: { own: 'mine' } });
    expect(asked).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(asked[0]?.args))).toEqual({
      id: '5',
      count: 3,
      filter: { owner: 'nobody', limit: 2 },
      order: 'UP',
      day: '2026-01-31',
    });
  });

  it('about the principal and the field, with the resolvers’ own context', async () => {
    const { ask, asked, contexts } = createApp(YES);
    await ask('{ alias: own }');
    expect(asked[0]).toMatchObject({ principal: ADA, fieldName: 'own', policy: 'owner' });
    expect(contexts).toEqual(new Set([asked[0]?.context]));
  });

  it('for a field that only some variables select, with these', async () => {
    const { ask, asked } = createApp(NO);
    const query = 'query ($v: Boolean!) { open own @include(if: $v) }';
    expect((await ask(query, { v: false })).body).toEqual({ data: { open: 'o' } });
    expect(asked).toEqual([]);
    expectDenied(await ask(query, { v: true }));
  });

  it.each(['reject', 'null'] as const)('never for an anonymous caller, onDenied %s', async (onDenied) => {
    const { ask, asked, calls } = createApp(YES, { principal: null, onDenied });
    const { body } = await ask('{ open own doc(id: 1) { id } docs { id } }');
    for (const { extensions } of body.errors) expect(extensions.reason).toBe('MISSING_TOKEN');
    expect(asked).toEqual([]);
    expect(calls).not.toContain('Query.own');
  });

  it('not when a role is missing anyway', async () => {
    const { ask, asked } = createApp(YES);
    expect((await ask('{ roleToo }')).body.errors[0].extensions.reason).toBe('MISSING_ROLE');
    expect(asked).toEqual([]);
  });
});

describe('a policy on a type', () => {
  it.each([
    ['reached directly', '{ doc(id: 5) { id } }', 'doc', '5'],
    ['behind an interface', '{ docs(id: 6) { id } }', 'docs', '6'],
    ['behind an interface, by a default', '{ thing { ... on Doc { id } } }', 'thing', '7'],
    ['behind an interface, for __typename alone', '{ thing(id: 8) { __typename } }', 'thing', '8'],
  ])('%s is asked with the arguments of the field that returns it', async (_, query, fieldName, id) => {
    const { ask, asked } = createApp(YES);
    const { body } = await ask(query);
    expect(body.errors).toBeUndefined();
    expect(asked.filter((question) => question.fieldName === fieldName).map(({ args }) => args)).toEqual([
      { id },
    ]);
  });

  it('takes only what it denies', async () => {
    const { ask, calls } = createApp({ ...NO, owner: ({ args }) => args.id === '1' });
    const { body } = await ask('{ yes: docs(id: 1) { __typename } no: docs(id: 2) { __typename id } }');
    const note = { __typename: 'Note' };
    expect(body.data.yes).toEqual([note, { __typename: 'Doc' }, { __typename: 'Doc' }]);
    expect(body.data.no).toEqual([{ ...note, id: '1' }, null, null]);
    expect(body.errors.map(({ path }: { path: unknown }) => path)).toEqual([
      ['no', 1],
      ['no', 2],
    ]);
    expect(calls).not.toContain('Doc.id');
  });
});

describe('onDenied: null', () => {
  it('gives null where a policy says no, and asks once all the same', async () => {
    const { ask, asked, calls } = createApp(
      { ...NO, owner: ({ args }) => args.id === '1' },
      { onDenied: 'null' },
    );
    const { status, body } = await ask(
      '{ open yes: own(id: 1) no: own(id: 2) box { own(id: 2) } paid: both }',
    );
    expect(body.data).toEqual({ open: 'o', yes: 'mine', no: null, box: { own: null }, paid: null });
    expect(new Set(body.errors.map((error: { extensions: object }) => error.extensions))).toEqual(
      new Set(
        ['Query.own', 'Box.own', 'Query.both'].map((coordinate) => ({
          code: 'FORBIDDEN',
          reason: 'POLICY_DENIED',
          coordinate,
        })),
      ),
    );
    expect(status).toBe(200);
    expect(calls.toSorted()).toEqual(['Query.box', 'Query.open', 'Query.own']);
    const questions = asked.map(
      ({ policy, fieldName, args }) => `${policy} ${fieldName} ${JSON.stringify(args)}`,
    );
    expect(new Set(questions).size).toBe(questions.length);
  });
});

it('a policy that nobody has defined is a ConfigError at the start', () => {
  expect(() => createApp({ owner: () => true })).toThrow(
    expect.objectContaining({
      name: 'ConfigError',
      issues: ['Query.both: no policy has the name "paid"', 'Query.either: no policy has the name "paid"'],
    }),
  );
});
