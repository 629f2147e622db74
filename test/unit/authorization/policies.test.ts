// Policies: which calls they receive, how often, and the effect of their results.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import type { Policy, PolicyInput } from '../../../src/authorization/policies.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import {
  createPrincipal,
  createSender,
  type OperationResponse,
  useCaller,
} from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  input Filter { owner: String = "nobody" limit: Int }
  enum Order { UP DOWN }
  scalar Day
  type Query {
    open: String
    own(id: ID, count: Int = 3, filter: Filter, order: Order = UP, day: Day): String
      @auth(policies: [["owner"]])
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
  open: 'o',
  own: 'mine',
  both: 'b',
  either: 'e',
  federated: 'f',
  roleToo: 'r',
  box: {},
  doc: DOC,
  docs: [{ __typename: 'Note', id: 1 }, DOC, DOC],
  thing: DOC,
};
const ADA = createPrincipal();
type Policies = Record<string, Policy>;
const ALLOW: Policies = { owner: () => true, paid: () => true };
const DENY: Policies = { owner: () => false, paid: () => false };

function createApp(policies: Policies, options: GuardOptions & { principal?: Principal | null } = {}) {
  const { principal = ADA, ...rest } = options;
  const inputs: (PolicyInput & { policy: string })[] = [];
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
  const recording = Object.entries(policies).map(([name, policy]): [string, Policy] => [
    name,
    (input) => {
      inputs.push({ ...input, policy: name });
      return policy(input);
    },
  ]);
  const guard = useGuard({
    policies: Object.fromEntries(recording),
    log: { warn: (details, message) => warnings.push({ details, message }) },
    ...rest,
  });
  const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), guard] });
  const post = createSender(yoga);
  const send = (query: string, variables?: object) => post(query, { variables });
  const failures = () => warnings.filter(({ message }) => message === 'policy failed; access denied');
  return { send, inputs, calls, failures, contexts };
}

function expectDenied({ status, body }: OperationResponse) {
  expect(body).not.toHaveProperty('data');
  expect(new Set(body.errors.map((error: { extensions: object }) => error.extensions))).toEqual(
    new Set(body.errors.map(() => expect.objectContaining({ code: 'FORBIDDEN', reason: 'POLICY_DENIED' }))),
  );
  expect(status).toBe(403);
}

describe('the results of policies', () => {
  const only = (...names: string[]): Policies => ({
    owner: () => names.includes('owner'),
    paid: () => names.includes('paid'),
  });
  it.each<[string, Policies, string, boolean]>([
    ['a policy that returns true allows', ALLOW, 'own', true],
    ['a policy that returns false denies', DENY, 'own', false],
    ['Federation’s @policy evaluates policies: true', ALLOW, 'federated', true],
    ['Federation’s @policy evaluates policies: false', DENY, 'federated', false],
    ['every policy of a set must return true: one does', only('owner'), 'both', false],
    ['every policy of a set must return true: all do', ALLOW, 'both', true],
    ['one set of policies is enough: the first', only('owner'), 'either', true],
    ['one set of policies is enough: the second', only('paid'), 'either', true],
    ['one set of policies is enough: none', DENY, 'either', false],
    ['a promise of true allows', { ...ALLOW, owner: async () => true }, 'own', true],
    ['a promise of false denies', { ...ALLOW, owner: async () => false }, 'own', false],
  ])('%s', async (_, policies, field, isAllowed) => {
    const { send, calls } = createApp(policies);
    const response = await send(`{ open ${field} }`);
    if (isAllowed) expect(response.body).toEqual({ data: { open: 'o', [field]: DATA[field] } });
    else expectDenied(response);
    expect(calls).toEqual(isAllowed ? ['Query.open', `Query.${field}`] : []);
  });

  it.each([1, 'true', {}, [], 'yes', null, undefined, Promise.resolve('yes')])(
    'a policy that returns a value other than true denies: %j',
    async (value) => {
      const { send, calls } = createApp({ ...ALLOW, owner: () => value as boolean }); // cast: JavaScript may return any value
      expectDenied(await send('{ own }'));
      expect(calls).toEqual([]);
    },
  );

  it.each<[string, Policy]>([
    [
      'throws',
      () => {
        throw new Error('database is unavailable');
      },
    ],
    ['rejects', () => Promise.reject(new Error('database is unavailable'))],
  ])('a policy that %s denies and is logged', async (_, owner) => {
    const { send, calls, failures } = createApp({ ...ALLOW, owner });
    const response = await send('{ own }');
    expectDenied(response);
    expect(JSON.stringify(response.body)).not.toContain('database');
    expect(calls).toEqual([]);
    expect(failures()).toEqual([
      {
        details: { policy: 'owner', fieldName: 'own', err: new Error('database is unavailable') },
        message: 'policy failed; access denied',
      },
    ]);
  });
});

describe('the calls of a policy', () => {
  it('a policy is called once for equal arguments in one request', async () => {
    const { send, inputs } = createApp(ALLOW);
    await send(
      '{ a: own(id: 1) b: own(id: "1") c: own(id: 2) d: own(id: 1, count: 3) e: own(id: 1, count: 4) }',
    );
    expect(inputs.map(({ args }) => [args.id, args.count])).toEqual([
      ['1', 3],
      ['2', 3],
      ['1', 4],
    ]);
  });

  it('a policy is called again in the next request', async () => {
    let isAllowed = true;
    const { send, inputs } = createApp({ ...ALLOW, owner: () => isAllowed });
    expect((await send('{ own(id: 1) }')).status).toBe(200);
    isAllowed = false;
    expectDenied(await send('{ own(id: 1) }'));
    expect(inputs).toHaveLength(2);
  });

  it('policies are called in parallel', async () => {
    const { promise: allCalled, resolve } = Promise.withResolvers<boolean>();
    let count = 0;
    const wait = () => {
      count += 1;
      if (count === 5) resolve(true);
      return allCalled;
    };
    const { send } = createApp({ owner: wait, paid: wait });
    const { body } = await send('{ own(id: 1) second: own(id: 2) both federated }');
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
  ])('a policy receives coerced arguments with defaults: %s', async (query, variables) => {
    const { send, inputs } = createApp(ALLOW);
    expect((await send(query, variables)).body).toEqual({ data: { own: 'mine' } });
    expect(inputs).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(inputs[0]?.args))).toEqual({
      id: '5',
      count: 3,
      filter: { owner: 'nobody', limit: 2 },
      order: 'UP',
      day: '2026-01-31',
    });
  });

  it('a policy receives the principal, the field name and the resolvers’ context', async () => {
    const { send, inputs, contexts } = createApp(ALLOW);
    await send('{ alias: own }');
    expect(inputs[0]).toMatchObject({ principal: ADA, fieldName: 'own', policy: 'owner' });
    expect(contexts).toEqual(new Set([inputs[0]?.context]));
  });

  it('a policy is called only with variables that select the field', async () => {
    const { send, inputs } = createApp(DENY);
    const query = 'query ($v: Boolean!) { open own @include(if: $v) }';
    expect((await send(query, { v: false })).body).toEqual({ data: { open: 'o' } });
    expect(inputs).toEqual([]);
    expectDenied(await send(query, { v: true }));
  });

  it.each(['reject', 'null'] as const)(
    'a policy is never called for an anonymous caller, onDenied %s',
    async (onDenied) => {
      const { send, inputs, calls } = createApp(ALLOW, { principal: null, onDenied });
      const { body } = await send('{ open own doc(id: 1) { id } docs { id } }');
      for (const { extensions } of body.errors) expect(extensions.reason).toBe('MISSING_TOKEN');
      expect(inputs).toEqual([]);
      expect(calls).not.toContain('Query.own');
    },
  );

  it('a policy is not called for a caller without the role', async () => {
    const { send, inputs } = createApp(ALLOW);
    expect((await send('{ roleToo }')).body.errors[0].extensions.reason).toBe('MISSING_ROLE');
    expect(inputs).toEqual([]);
  });
});

describe('a policy on a type', () => {
  it.each([
    ['reached directly', '{ doc(id: 5) { id } }', 'doc', '5'],
    ['behind an interface', '{ docs(id: 6) { id } }', 'docs', '6'],
    ['behind an interface, by a default', '{ thing { ... on Doc { id } } }', 'thing', '7'],
    ['behind an interface, for __typename alone', '{ thing(id: 8) { __typename } }', 'thing', '8'],
  ])(
    'a type’s policy receives the arguments of the field that returns it: %s',
    async (_, query, fieldName, id) => {
      const { send, inputs } = createApp(ALLOW);
      const { body } = await send(query);
      expect(body.errors).toBeUndefined();
      expect(inputs.filter((input) => input.fieldName === fieldName).map(({ args }) => args)).toEqual([
        { id },
      ]);
    },
  );

  it('a policy denies only the objects that it returns false for', async () => {
    const { send, calls } = createApp({ ...DENY, owner: ({ args }) => args.id === '1' });
    const { body } = await send('{ yes: docs(id: 1) { __typename } no: docs(id: 2) { __typename id } }');
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
  it('a field that a policy denies is null, and the policy is called once', async () => {
    const { send, inputs, calls } = createApp(
      { ...DENY, owner: ({ args }) => args.id === '1' },
      { onDenied: 'null' },
    );
    const { status, body } = await send(
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
    const policyCalls = inputs.map(
      ({ policy, fieldName, args }) => `${policy} ${fieldName} ${JSON.stringify(args)}`,
    );
    expect(new Set(policyCalls).size).toBe(policyCalls.length);
  });
});

it('an undefined policy is a ConfigError', () => {
  expect(() => createApp({ owner: () => true })).toThrow(
    expect.objectContaining({
      name: 'ConfigError',
      issues: ['Query.both: no policy has the name "paid"', 'Query.either: no policy has the name "paid"'],
    }),
  );
});
