// With reportOnly: true, nothing is denied, and every denial is logged.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, useCaller } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  type Query {
    open: String
    secret: String @auth
    admin: String @auth(roles: ["admin"])
    own: String @auth(policies: [["owner"]])
    strict: String! @auth(scopes: [["read"]])
    posts: [Post]
  }
  type Mutation { change: Int @auth }
  type Subscription { ticks: Int @auth }
  interface Post { id: ID }
  type PublicPost implements Post { id: ID }
  type PrivatePost implements Post @auth(roles: ["admin"]) { id: ID }
`;
const ROOT = {
  open: 'o',
  secret: 's',
  admin: 'a',
  own: 'mine',
  strict: 'x',
  change: 1,
  posts: [
    { __typename: 'PublicPost', id: '1' },
    { __typename: 'PrivatePost', id: '2' },
  ],
};
const ADA = createPrincipal();

function createApp(principal: Principal | null, options: GuardOptions = {}) {
  const logged: { details: object; message: string }[] = [];
  const schema = makeExecutableSchema({
    typeDefs: TYPES,
    resolvers: {
      Subscription: {
        ticks: {
          async *subscribe() {
            yield { ticks: 1 };
          },
        },
      },
    },
  });
  const useRoot: Plugin = {
    onExecute: ({ args }) => {
      args.rootValue = ROOT;
    },
  };
  const guard = useGuard({
    reportOnly: true,
    policies: { owner: () => false },
    log: { warn: (details, message) => logged.push({ details, message }) },
    ...options,
  });
  const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), useRoot, guard] });
  logged.length = 0; // drops the warnings about the schema
  async function send(query: string, accept = 'application/json') {
    const response = await yoga.fetch('http://yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, text: await response.text() };
  }
  const denials = () =>
    logged.map(({ details, message }) => {
      expect(message).toBe('access would be denied');
      return Object.values(details).join(' ');
    });
  return { send, denials, logged };
}

describe.each(['reject', 'null'] as const)('with onDenied %s', (onDenied) => {
  it.each<[string, Principal | null, string, string, string[]]>([
    ['an open field', null, '{ open }', '{"open":"o"}', []],
    [
      'a protected field',
      null,
      '{ open secret }',
      '{"open":"o","secret":"s"}',
      ['Query.secret MISSING_TOKEN'],
    ],
    ['a field that may not be null', null, '{ strict }', '{"strict":"x"}', ['Query.strict MISSING_TOKEN']],
    ['a mutation', null, 'mutation { change }', '{"change":1}', ['Mutation.change MISSING_TOKEN']],
    [
      'an object behind an interface',
      ADA,
      '{ posts { __typename } }',
      '{"posts":[{"__typename":"PublicPost"},{"__typename":"PrivatePost"}]}',
      ['Query.posts MISSING_ROLE'],
    ],
    ['a missing role', ADA, '{ admin secret }', '{"admin":"a","secret":"s"}', ['Query.admin MISSING_ROLE']],
    ['a missing scope', ADA, '{ strict }', '{"strict":"x"}', ['Query.strict MISSING_SCOPE']],
    ['a field that a policy denies', ADA, '{ own }', '{"own":"mine"}', ['Query.own POLICY_DENIED']],
    [
      'every denied field',
      null,
      '{ secret x: secret admin }',
      '{"secret":"s","x":"s","admin":"a"}',
      ['Query.secret MISSING_TOKEN', 'Query.secret MISSING_TOKEN', 'Query.admin MISSING_TOKEN'],
    ],
  ])('reportOnly allows and logs %s', async (_, principal, query, data, expected) => {
    const { send, denials } = createApp(principal, { onDenied });
    expect(await send(query)).toEqual({ status: 200, text: `{"data":${data}}` });
    expect(denials()).toEqual(expected);
  });

  it('reportOnly allows a subscription and logs it', async () => {
    const { send, denials } = createApp(null, { onDenied });
    expect((await send('subscription { ticks }', 'text/event-stream')).text).toContain(
      '{"data":{"ticks":1}}',
    );
    expect(new Set(denials())).toEqual(new Set(['Subscription.ticks MISSING_TOKEN']));
  });
});

it('reportOnly allows and logs fields that default deny closes', async () => {
  const { send, denials } = createApp(null, { defaultAccess: 'deny' });
  expect(await send('{ open }')).toEqual({ status: 200, text: '{"data":{"open":"o"}}' });
  expect(denials()).toEqual(['Query.open MISSING_TOKEN']);
});

it('reportOnly logs introspection that default deny closes', async () => {
  const { send, denials } = createApp(null, { defaultAccess: 'deny' });
  expect((await send('{ __schema { queryType { name } } }')).text).toContain('"Query"');
  expect(denials()).toEqual(['Query.__schema MISSING_TOKEN']);
});

it('reportOnly does not accept an undefined policy', () => {
  expect(() => createApp(null, { policies: {} })).toThrow('Query.own: no policy has the name "owner"');
});
