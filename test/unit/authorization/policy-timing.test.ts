// When policies are evaluated: in a mutation before each root field, in a subscription for each event.
import { parse } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { createGuard } from '../../../src/authorization/guard.ts';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import type { Policy } from '../../../src/authorization/policies.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  type Query { own: String @auth(policies: [["owner"]]) }
  type Mutation {
    giveAway: String
    takeBack: Box
    wipe(id: ID): String @auth(policies: [["owner"]])
    must: String! @auth(policies: [["owner"]])
    open: Box
    admin: String @auth(roles: ["admin"])
    doc: Doc
  }
  type Box { label: String inner: String @auth(policies: [["owner"]]) }
  type Doc @auth(policies: [["owner"]]) { id: ID }
  interface Event { id: ID }
  type Public implements Event { id: ID }
  type Private implements Event @auth(policies: [["owner"]]) { id: ID }
  type Subscription {
    ticks: Int @auth(policies: [["owner"]])
    boxes: Box
    docs: Doc
    events: Event
    recent: Int @auth(maxAge: 60)
    both: Int @auth(maxAge: 60, policies: [["owner"]])
  }
`;

function createApp(policy?: Policy, options: GuardOptions = {}) {
  const state = { isOwner: true, now: new Date() };
  const steps: string[] = [];
  const step = (name: string) => steps.push(name);
  async function* events(payload: () => object) {
    for (let i = 1; i <= 3; i += 1) yield payload();
  }
  const source = (name: string, value: unknown) => ({
    subscribe: () => {
      step(`subscribe ${name}`);
      return events(() => ({ [name]: value }));
    },
  });
  const owner: Policy = (input) => {
    step(`policy ${input.fieldName}`);
    return policy ? policy(input) : state.isOwner;
  };
  const schema = createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: { own: () => 'mine' },
      Mutation: {
        async giveAway() {
          await new Promise(setImmediate);
          state.isOwner = false;
          step('giveAway');
          return 'given';
        },
        async takeBack() {
          await new Promise(setImmediate);
          state.isOwner = true;
          step('takeBack');
          return { label: 'back', inner: 'inner' };
        },
        wipe: (_: unknown, { id = '' }: { id?: string }) => {
          step(`wipe${id}`);
          return 'wiped';
        },
        must: () => step('must') && 'must',
        open: () => step('open') && { label: 'label', inner: 'inner' },
        admin: () => step('admin') && 'admin',
        doc: () => step('doc') && { id: '1' },
      },
      Subscription: {
        ticks: source('ticks', 1),
        boxes: source('boxes', { label: 'label', inner: 'inner' }),
        docs: source('docs', { id: '1' }),
        events: source('events', { __typename: 'Private', id: '1' }),
        recent: source('recent', 1),
        both: source('both', 1),
      },
    },
  });
  const guardOptions: GuardOptions = {
    policies: { owner },
    log: { warn() {} },
    now: () => state.now,
    ...options,
  };
  const yoga = createYoga({
    schema,
    logging: false,
    plugins: [useCaller(createPrincipal({ authenticatedAt: new Date() })), useGuard(guardOptions)],
  });
  const kit = createTestKit({ schema }, { policies: { owner }, log: { warn() {} } });
  return { send: createSender(yoga), kit, state, steps };
}
const reasonsOf = (errors: { extensions: { reason: string }; path?: unknown }[] = []) =>
  errors.map(({ extensions, path }) => [extensions.reason, path]);

describe.each(['reject', 'null'] as const)('a policy of a mutation, onDenied %s', (onDenied) => {
  it('a mutation’s policy is evaluated after the fields before it', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const { status, body } = await send('mutation { giveAway wipe }');
    expect(steps).toEqual(['giveAway', 'policy wipe']);
    expect(body.data).toEqual({ giveAway: 'given', wipe: null });
    expect(reasonsOf(body.errors)).toEqual([['POLICY_DENIED', ['wipe']]]);
    expect(status).toBe(200);
  });

  it('a policy sees the changes of an earlier field', async () => {
    const { send, state, steps } = createApp(undefined, { onDenied });
    state.isOwner = false;
    const { body } = await send('mutation { takeBack { label } wipe }');
    expect(body).toEqual({ data: { takeBack: { label: 'back' }, wipe: 'wiped' } });
    expect(steps).toEqual(['takeBack', 'policy wipe', 'wipe']);
  });

  it('a policy is evaluated again for an equal field of a mutation', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const { body } = await send(
      'mutation { a: wipe(id: 1) giveAway b: wipe(id: 1) takeBack { label } c: wipe(id: 1) }',
    );
    expect(body.data).toEqual({
      a: 'wiped',
      giveAway: 'given',
      b: null,
      takeBack: { label: 'back' },
      c: 'wiped',
    });
    expect(steps).toEqual([
      'policy wipe',
      'wipe1',
      'giveAway',
      'policy wipe',
      'takeBack',
      'policy wipe',
      'wipe1',
    ]);
  });

  it('a policy in a payload is evaluated once the mutation has run', async () => {
    const { send, state, steps } = createApp(undefined, { onDenied });
    state.isOwner = false;
    const { body } = await send('mutation { takeBack { inner } }');
    expect(body).toEqual({ data: { takeBack: { inner: 'inner' } } });
    expect(steps).toEqual(['takeBack', 'policy inner']);
  });

  it('the policy of a returned type is evaluated before its field runs', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const { body } = await send('mutation { giveAway doc { id } }');
    expect(steps).toEqual(['giveAway', 'policy doc']);
    expect(body.data).toEqual({ giveAway: 'given', doc: null });
  });

  it('a denied non-null field of a mutation leaves no data', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const { status, body } = await send('mutation { giveAway must wipe }');
    expect(body.data).toBeNull();
    expect(steps).not.toContain('must');
    expect(steps).not.toContain('wipe');
    expect(status).toBe(onDenied === 'reject' ? 403 : 200);
  });

  it('policies of fields in fragments are evaluated in the order of the fields', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const query =
      'mutation ($no: Boolean = false) { ...F wipe @include(if: $no) } fragment F on Mutation { giveAway ... { b: wipe } }';
    expect((await send(query)).body.data).toEqual({ giveAway: 'given', b: null });
    expect(steps).toEqual(['giveAway', 'policy wipe']);
  });

  it('a missing role rejects a mutation before policies are evaluated', async () => {
    const { send, steps } = createApp(undefined, { onDenied });
    const { body } = await send('mutation { wipe admin }');
    expect(reasonsOf(body.errors)).toEqual([['MISSING_ROLE', ['admin']]]);
    expect(steps).toEqual(onDenied === 'reject' ? [] : ['policy wipe', 'wipe']);
  });

  it('a policy that throws denies its field alone', async () => {
    const { send, steps } = createApp(
      ({ fieldName }) => {
        if (fieldName === 'wipe') throw new Error('secret detail');
        return true;
      },
      { onDenied },
    );
    const { body } = await send('mutation { giveAway wipe doc { id } }');
    expect(body.data).toEqual({ giveAway: 'given', wipe: null, doc: { id: '1' } });
    expect(JSON.stringify(body)).not.toContain('secret detail');
    expect(steps).not.toContain('wipe');
  });

  it('a pending policy delays the fields after it', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { send, steps } = createApp(() => promise, { onDenied });
    const pending = send('mutation { giveAway wipe open { label } }');
    while (!steps.includes('policy wipe')) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(steps).toEqual(['giveAway', 'policy wipe']);
    resolve(true);
    expect((await pending).body.data).toEqual({ giveAway: 'given', wipe: 'wiped', open: { label: 'label' } });
    expect(steps).toEqual(['giveAway', 'policy wipe', 'wipe', 'open']);
  });
});

describe('a mutation of one field', () => {
  it('a mutation of one field does not begin if its policy denies', async () => {
    const { send, state, steps } = createApp();
    state.isOwner = false;
    const { status, body } = await send('mutation { wipe }');
    expect(status).toBe(403);
    expect(body).not.toHaveProperty('data');
    expect(steps).toEqual(['policy wipe']);
  });

  it('a mutation of one field evaluates its policy once', async () => {
    const { send, steps } = createApp();
    expect((await send('mutation { wipe wipe }')).body).toEqual({ data: { wipe: 'wiped' } });
    expect(steps).toEqual(['policy wipe', 'wipe']);
  });
});

it('the matrix of a mutation depends on policies that are evaluated later', async () => {
  const { kit } = createApp();
  const operations = {
    one: 'mutation { wipe }',
    two: 'mutation { giveAway wipe }',
    nested: 'mutation { takeBack { inner } }',
  };
  expect(await kit.matrix(operations, { ada: {} })).toMatchInlineSnapshot(`
    "| operation | ada     |
    | --------- | ------- |
    | one       | allowed |
    | two       | depends |
    | nested    | depends |"
  `);
});

it('a query evaluates its policies before anything runs, each once', async () => {
  const { send, steps } = createApp();
  expect((await send('{ a: own b: own }')).body).toEqual({ data: { a: 'mine', b: 'mine' } });
  expect(steps).toEqual(['policy own']);
});

describe('a policy of a subscription', () => {
  it.each([
    ['the field', 'ticks', 'subscription { ticks }', { ticks: 1 }, { ticks: null }],
    [
      'the type that it returns',
      'docs',
      'subscription { docs { id } }',
      { docs: { id: '1' } },
      { docs: null },
    ],
    [
      'a field below it',
      'boxes',
      'subscription { boxes { label inner } }',
      { boxes: { label: 'label', inner: 'inner' } },
      { boxes: { label: 'label', inner: null } },
    ],
    [
      'an object behind an interface',
      'events',
      'subscription { events { id } }',
      { events: { id: '1' } },
      { events: null },
    ],
  ])('a subscription’s policy is evaluated for each event: %s', async (_, __, query, allowed, denied) => {
    const { kit, state, steps } = createApp();
    const events = await kit.as().subscribe(query);
    expect((await events.next()).value.data).toEqual(allowed);
    state.isOwner = false;
    const second = (await events.next()).value;
    expect(second.data).toEqual(denied);
    expect(second.reason).toBe('POLICY_DENIED');
    state.isOwner = true;
    expect((await events.next()).value.data).toEqual(allowed);
    expect(steps.filter((one) => one.startsWith('policy')).length).toBeGreaterThanOrEqual(3);
  });

  it('a policy that denies at the start prevents the subscription', async () => {
    const { kit, state, steps } = createApp();
    state.isOwner = false;
    const events = await kit.as().subscribe('subscription { ticks }');
    expect(events.status).toBe(403);
    expect(steps).toEqual(['policy ticks']);
  });

  it('a policy is evaluated once an event for equal fields', async () => {
    const { kit, steps } = createApp();
    const events = await kit.as().subscribe('subscription { boxes { a: inner b: inner } }');
    steps.length = 0;
    await events.next();
    expect(steps).toEqual(['policy inner']);
    await events.next();
    expect(steps).toEqual(['policy inner', 'policy inner']);
  });

  it.each(['reject', 'null'] as const)(
    'a stream goes on after an event that a policy denies, onDenied %s',
    async (onDenied) => {
      let count = 0;
      const { send: _, ...app } = createApp(
        () => {
          count += 1;
          return count !== 3;
        },
        { onDenied },
      );
      const events = await app.kit.as().subscribe('subscription { ticks }');
      const data = [];
      for await (const event of events) data.push(event.data);
      expect(data).toEqual([{ ticks: 1 }, { ticks: null }, { ticks: 1 }]);
    },
  );

  it.each(['recent', 'both'])('maxAge is measured when a subscription starts: %s', async (field) => {
    const { kit } = createApp();
    const events = await kit.as().subscribe(`subscription { ${field} }`);
    kit.clock.advance(600);
    expect((await events.next()).value.data).toEqual({ [field]: 1 });
  });
});

it('operations with one context share neither policy results nor roles', async () => {
  const schema = createSchema({
    typeDefs: [
      directiveTypeDefs,
      'type Query { own: String @auth(policies: [["owner"]]) admin: String @auth(roles: ["admin"]) }',
    ],
  });
  let isOwner = true;
  const guard = createGuard({ policies: { owner: () => isOwner } });
  const member = { userId: 'ada', roles: ['admin'] };
  const contextValue = { principal: member };
  const isAllowed = async (query: string) =>
    !('result' in (await guard.decide({ schema, document: parse(query), contextValue })));
  expect([await isAllowed('{ own }'), await isAllowed('{ admin }')]).toEqual([true, true]);
  isOwner = false;
  member.roles.pop();
  expect([await isAllowed('{ own }'), await isAllowed('{ admin }')]).toEqual([false, false]);
});
