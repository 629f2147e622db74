// `context.principal` must be an object that `createPrincipal` accepts. Anything else is an error and never gives access.
import { createSchema, createYoga, type Plugin, useExtendContext } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createPrincipal, type Policy, requirePrincipal } from '../../../src/index.ts';
import { createSender } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  type Query {
    open: String
    secret: String @auth
    admin: String @auth(roles: ["admin"])
    read: String @auth(scopes: [["read"]])
    recent: String @auth(maxAge: 300)
    own: String @auth(policies: [["owner"]])
    node: Node
    me: String
  }
  interface Node { id: ID }
  type Secret implements Node @auth { id: ID }
  type Mutation { wipe: String @auth(policies: [["owner"]]) }
  type Subscription { ticks: String @auth }
`;

function createApp(principal: () => unknown, options: GuardOptions = {}) {
  const calls: string[] = [];
  const logged: object[] = [];
  const policyPrincipals: unknown[] = [];
  const record = (name: string) => () => {
    calls.push(name);
    return 'SECRET';
  };
  const names = ['secret', 'admin', 'read', 'recent', 'own'];
  const schema = createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: {
        ...Object.fromEntries(names.map((name) => [name, record(name)])),
        open: () => 'open',
        node: () => ({ __typename: 'Secret', id: 'SECRET' }),
        me: (_: unknown, __: unknown, context) => requirePrincipal(context as never).userId,
      },
      Mutation: { wipe: record('wipe') },
      Subscription: {
        ticks: {
          async *subscribe() {
            calls.push('ticks');
            yield { ticks: 'SECRET' };
          },
        },
      },
    },
  });
  const owner: Policy = (input) => {
    policyPrincipals.push(input.principal);
    return true;
  };
  const guard = useGuard({
    policies: { owner },
    log: { warn: (details, message) => logged.push({ ...details, message }) },
    ...options,
  });
  const caller = useExtendContext(() => ({ principal: principal() })) as Plugin; // cast: the context types differ only in name
  const yoga = createYoga({ schema, logging: false, plugins: [caller, guard] });
  return { send: createSender(yoga), yoga, calls, logged, policyPrincipals };
}

const VALID = { userId: 'ada', roles: ['admin'], scopes: ['read'], authenticatedAt: new Date() };
// biome-ignore lint/suspicious/noThenProperty: an application may put a promise into its context by mistake
const thenable = { userId: 'ada', roles: ['admin'], then: () => {} };

const MISTAKES: [string, unknown, RegExp][] = [
  ['false', false, /it is false$/],
  ['true', true, /it is true$/],
  ['zero', 0, /it is a number$/],
  ['a number', 1, /it is a number$/],
  ['a bigint', 1n, /it is a bigint$/],
  ['an empty string', '', /it is a string$/],
  ['a string', 'ada', /it is a string$/],
  ['a symbol', Symbol('ada'), /it is a symbol$/],
  ['a promise of a principal', Promise.resolve(VALID), /it is a promise: await it$/],
  ['a promise of null', Promise.resolve(null), /it is a promise: await it$/],
  ['a thenable', thenable, /it is a promise: await it$/],
  ['a function', () => VALID, /it is a function$/],
  ['a class', class Ada {}, /it is a function$/],
  ['an array', [VALID], /it is an array$/],
  ['a map', new Map(Object.entries(VALID)), /it is a Map$/],
  ['a set', new Set(['ada']), /it is a Set$/],
  ['a date', new Date(), /it is a Date$/],
  ['an error', new Error('no token'), /it is an Error$/],
  ['an empty object', {}, /userId: must be a non-empty string$/],
  ['an empty user id', { ...VALID, userId: '' }, /userId: must be a non-empty string$/],
  ['a user id of a number', { ...VALID, userId: 1 }, /userId: must be a non-empty string$/],
  ['a session id of a number', { ...VALID, sessionId: 1 }, /sessionId: must be a string$/],
  ['roles of one string', { ...VALID, roles: 'admin' }, /roles: must be an array or a set of strings$/],
  ['roles of numbers', { ...VALID, roles: [1] }, /roles: must be an array or a set of strings$/],
  ['roles of null', { ...VALID, roles: null }, /roles: must be an array or a set of strings$/],
  [
    'roles of an object',
    { ...VALID, roles: { admin: true } },
    /roles: must be an array or a set of strings$/,
  ],
  ['roles of a promise', { ...VALID, roles: Promise.resolve(['admin']) }, /roles: must be an array or a set/],
  ['roles of a map', { ...VALID, roles: new Map([['admin', true]]) }, /roles: must be an array or a set/],
  ['a role inside a list', { ...VALID, roles: [['admin']] }, /roles: must be an array or a set of strings$/],
  ['scopes of one string', { ...VALID, scopes: 'read' }, /scopes: must be an array or a set of strings$/],
  [
    'a sign-in time without a value',
    { ...VALID, authenticatedAt: new Date('no') },
    /authenticatedAt: must be/,
  ],
  ['a sign-in time of a number', { ...VALID, authenticatedAt: Date.now() }, /authenticatedAt: must be/],
  ['claims of a string', { ...VALID, claims: 'exp' }, /claims: must be an object$/],
  [
    'an expiry of a string',
    { ...VALID, claims: { exp: 'soon' } },
    /claims.exp: must be a number of seconds$/,
  ],
];

describe('a mistake in context.principal', () => {
  it.each(MISTAKES)(
    'an invalid principal is an error that names the mistake: %s',
    async (_, principal, message) => {
      for (const options of [{}, { onDenied: 'null' }, { reportOnly: true }] satisfies GuardOptions[]) {
        const { send, calls, logged } = createApp(() => principal, options);
        for (const field of ['secret', 'admin', 'read', 'recent', 'own', 'node { id }', 'open']) {
          const { status, body } = await send(`{ open ${field} }`);
          expect(status).toBe(500);
          expect(body).not.toHaveProperty('data');
          expect(body.errors).toHaveLength(1);
          expect(body.errors[0].message).toMatch(
            /^context\.principal: must be a Principal, null or undefined; /,
          );
          expect(body.errors[0].message).toMatch(message);
          expect(body.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
        }
        expect(calls).toEqual([]);
        expect(logged).toHaveLength(7);
        expect(JSON.stringify(logged)).toContain('context.principal');
      }
    },
  );

  it('an invalid principal fails mutations, subscriptions and introspection', async () => {
    const { send, calls, yoga } = createApp(() => false, { introspection: 'permitted' });
    expect((await send('mutation { wipe }')).status).toBe(500);
    expect((await send('{ __schema { queryType { name } } }')).body).not.toHaveProperty('data');
    const response = await yoga.fetch('http://yoga/graphql?query=subscription{ticks}', {
      headers: { accept: 'text/event-stream' },
    });
    const text = await response.text();
    expect(text).toContain('must be a Principal');
    expect(text).not.toContain('SECRET');
    expect(calls).toEqual([]);
  });

  it('requirePrincipal throws for an invalid principal', () => {
    for (const [, principal] of MISTAKES) {
      const context = { principal, tokenProblem: undefined };
      expect(() => requirePrincipal(context as never)).toThrow('context.principal: must be a Principal');
    }
  });

  it('the error and the log show no value of the principal', async () => {
    const { send, logged } = createApp(() => ({ userId: 7, password: 'hunter2', roles: 'hunter2' }));
    const { body } = await send('{ secret }');
    expect(JSON.stringify([body, logged])).not.toContain('hunter2');
  });
});

describe('a caller', () => {
  class Member {
    userId = 'ada';
    get roles() {
      return new Set(['admin']);
    }
  }

  it.each<[string, object]>([
    ['made by createPrincipal', createPrincipal(VALID)],
    ['a plain object with lists', VALID],
    ['a plain object with sets', { ...VALID, roles: new Set(['admin']), scopes: new Set(['read']) }],
    ['an object of a class', new Member()],
    ['an object without a prototype', Object.assign(Object.create(null), VALID)],
  ])('the guard accepts a principal: %s', async (_, principal) => {
    const { send } = createApp(() => principal);
    expect((await send('{ secret admin me }')).body).toEqual({
      data: { secret: 'SECRET', admin: 'SECRET', me: 'ada' },
    });
  });

  it('a principal without a sign-in time does not meet a maxAge', async () => {
    const { send } = createApp(() => ({ userId: 'ada' }));
    expect((await send('{ recent }')).body.errors[0].extensions.reason).toBe('REAUTHENTICATION_REQUIRED');
  });

  it.each([null, undefined])('a principal of %s is an anonymous caller', async (principal) => {
    const { send } = createApp(() => principal);
    expect((await send('{ open }')).body).toEqual({ data: { open: 'open' } });
    expect((await send('{ secret }')).status).toBe(401);
  });

  it('a getter or a proxy cannot change the caller during an operation', async () => {
    let reads = 0;
    const changing = {
      userId: 'ada',
      get roles() {
        reads += 1;
        return reads === 1 ? ['guest'] : ['admin'];
      },
    };
    const { send, calls } = createApp(() => changing, { onDenied: 'null' });
    expect((await send('{ a: admin b: admin c: admin }')).body.data).toEqual({ a: null, b: null, c: null });
    expect(calls).toEqual([]);

    const proxy = new Proxy({ userId: 'ada' }, { get: (_, key) => (key === 'then' ? undefined : 'admin') });
    const other = createApp(() => proxy);
    expect((await other.send('{ admin }')).body).not.toHaveProperty('data');
  });

  it('the next request reads the principal again', async () => {
    const member = { userId: 'ada', roles: ['admin'] };
    const { send } = createApp(() => member);
    expect((await send('{ admin }')).status).toBe(200);
    member.roles.pop();
    expect((await send('{ admin }')).status).toBe(403);
  });

  it('policies receive a frozen Principal with sets', async () => {
    const { send, policyPrincipals } = createApp(() => VALID);
    expect((await send('{ own }')).status).toBe(200);
    expect(policyPrincipals).toHaveLength(1);
    const [principal] = policyPrincipals as [{ roles: Set<string> }];
    expect(principal).toMatchObject({ userId: 'ada', sessionId: '', roles: new Set(['admin']) });
    expect(Object.isFrozen(principal)).toBe(true);
    expect(() => principal.roles.add('more')).toThrow(TypeError);
  });
});

describe('createPrincipal', () => {
  it('createPrincipal adds defaults for missing keys', () => {
    expect(createPrincipal({ userId: 'ada' })).toMatchObject({
      userId: 'ada',
      sessionId: '',
      roles: new Set(),
      scopes: new Set(),
      authenticatedAt: new Date(0),
      claims: {},
    });
  });

  it('createPrincipal freezes a copy and does not change the input', () => {
    const input = {
      userId: 'ada',
      roles: ['a'],
      claims: { org: { id: 1 } },
      authenticatedAt: new Date(5000),
    };
    const principal = createPrincipal(input);
    input.roles.push('b');
    input.claims.org.id = 2;
    input.authenticatedAt.setTime(9000);
    principal.authenticatedAt.setTime(9000);
    expect(principal.roles).toEqual(new Set(['a']));
    expect(principal.claims).toEqual({ org: { id: 1 } });
    expect(principal.authenticatedAt).toEqual(new Date(5000));
    expect(Object.isFrozen(principal.claims.org)).toBe(true);
    expect(createPrincipal(principal)).toBe(principal);
  });

  it('createPrincipal names every invalid key at once', () => {
    const input = { userId: '', roles: 'admin', scopes: [1] } as never;
    expect(() => createPrincipal(input)).toThrow(
      new TypeError(
        'createPrincipal: userId: must be a non-empty string; roles: must be an array or a set of strings; scopes: must be an array or a set of strings',
      ),
    );
  });

  it.each([null, undefined, false, 'ada', [], Promise.resolve({ userId: 'ada' })])(
    'createPrincipal throws for %s',
    (input) => {
      expect(() => createPrincipal(input as never)).toThrow(TypeError);
    },
  );
});
