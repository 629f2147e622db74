// Tables of access decisions.
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  createTestKit,
  type MatrixOperation,
  type TestKit,
  type TestKitOptions,
} from '../../../src/testing/index.ts';

const typeDefs = /* GraphQL */ `
  type Query {
    news: [String!]!
    invoices: [Invoice!]! @auth
    payroll: String! @auth(roles: ["accountant", "admin"], maxAge: 300)
    ledger: String @auth(scopes: [["ledger"]])
    own(id: ID!): String @auth(policies: [["owner"]])
    find(id: ID, in: Range): String @auth(policies: [["notOthers"]])
    public(id: ID): String
    posts: [Post]
    things: [Thing]
  }
  input Range { at: [ID] }
  type Mutation { pay(id: ID!): Boolean! @auth(roles: ["admin"]) }
  type Subscription { news: String payments: Invoice }
  type Invoice @auth { id: ID! total: Float! margin: Float @auth(roles: ["admin"]) }
  interface Post { id: ID! }
  type PublicPost implements Post { id: ID! }
  type PrivatePost implements Post @auth(roles: ["admin"]) { id: ID! }
  union Thing = PublicPost | Owned
  type Owned @auth(policies: [["owner"]]) { id: ID! }
`;

function createApp(options: TestKitOptions = {}, types = typeDefs) {
  let runs = 0;
  const kit = createTestKit(
    {
      typeDefs: types,
      resolvers: {
        Query: {
          news() {
            runs += 1;
            return [];
          },
        },
      },
    },
    {
      policies: {
        owner: ({ principal, args }) => args.id === principal.userId,
        notOthers: ({ principal, args }) => args.id === undefined || args.id === principal.userId,
      },
      log: { warn() {} },
      ...options,
    },
  );
  const principals = { anonymous: null, ada: { userId: 'ada' }, admin: { roles: ['admin'] } };
  return { kit, principals, runs: () => runs };
}

/** The cells of one operation. */
async function findCells(operation: MatrixOperation, options?: TestKitOptions): Promise<string[]> {
  const { kit, principals } = createApp(options);
  const table = await kit.matrix({ it: operation }, principals);
  return (table.split('\n')[2] ?? '')
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

const createUsers = (kit: TestKit) => ({
  anonymous: kit.anonymous,
  ada: kit.as({ userId: 'ada' }),
  admin: kit.as({ roles: ['admin'] }),
});

describe('matrix', () => {
  const operations = {
    news: '{ news }',
    invoices: parse('{ invoices { id total } }'),
    margin: '{ invoices { margin } }',
    payroll: '{ news payroll }',
    pay: 'mutation ($id: ID!) { pay(id: $id) }',
    'a | b': 'subscription { payments { id } }',
  };

  it('matrix has a row for each operation, a column for each principal, runs nothing', async () => {
    const { kit, principals, runs } = createApp();
    const late = kit.as({ roles: ['admin'] });
    kit.clock.advance(301);
    const all = { ...principals, late, gone: kit.withToken('revoked') };
    expect(await kit.matrix(operations, all)).toMatchInlineSnapshot(`
      "| operation | anonymous     | ada          | admin   | late                      | gone          |
      | --------- | ------------- | ------------ | ------- | ------------------------- | ------------- |
      | news      | allowed       | allowed      | allowed | allowed                   | allowed       |
      | invoices  | MISSING_TOKEN | allowed      | allowed | allowed                   | TOKEN_REVOKED |
      | margin    | MISSING_TOKEN | MISSING_ROLE | allowed | allowed                   | TOKEN_REVOKED |
      | payroll   | MISSING_TOKEN | MISSING_ROLE | allowed | REAUTHENTICATION_REQUIRED | TOKEN_REVOKED |
      | pay       | MISSING_TOKEN | MISSING_ROLE | allowed | allowed                   | TOKEN_REVOKED |
      | a \\| b    | MISSING_TOKEN | allowed      | allowed | allowed                   | TOKEN_REVOKED |"
    `);
    expect(runs()).toBe(0);
  });

  it('matrix changes when a field is opened', async () => {
    const { kit, principals } = createApp();
    const opened = createApp(
      {},
      typeDefs.replace('type Invoice @auth', 'type Invoice').replace('! @auth\n', '!\n'),
    );
    const table = await opened.kit.matrix(operations, principals);
    expect(table).not.toBe(await kit.matrix(operations, principals));
    expect(table).toMatch(/invoices +\| allowed/);
  });

  it.each<[string, MatrixOperation, string[]]>([
    ['objects of an interface', '{ posts { id } }', ['depends', 'depends', 'allowed']],
    ['a policy of objects', '{ things { __typename } }', ['depends', 'depends', 'depends']],
    [
      'a policy with its arguments',
      { document: 'query ($id: ID!) { own(id: $id) }', variables: { id: 'ada' } },
      ['MISSING_TOKEN', 'allowed', 'POLICY_DENIED'],
    ],
    ['a policy with literal arguments', '{ own(id: "ada") }', ['MISSING_TOKEN', 'allowed', 'POLICY_DENIED']],
    [
      'a policy with missing arguments',
      'query ($id: ID!) { own(id: $id) }',
      ['MISSING_TOKEN', 'depends', 'depends'],
    ],
    [
      'a policy beside an interface',
      '{ own(id: "ada") posts { id } }',
      ['MISSING_TOKEN', 'depends', 'POLICY_DENIED'],
    ],
    [
      'a denial with several reasons',
      '{ payroll ledger }',
      ['MISSING_TOKEN', 'MISSING_ROLE, MISSING_SCOPE', 'MISSING_SCOPE'],
    ],
    [
      'a field that a variable excludes',
      { document: 'query ($v: Boolean!) { news payroll @skip(if: $v) }', variables: { v: true } },
      ['allowed', 'allowed', 'allowed'],
    ],
    [
      'a field that a variable excludes beside an interface',
      {
        document:
          'query ($v: Boolean!) { posts { id } ledger @skip(if: $v) things @skip(if: $v) { __typename } }',
        variables: { v: true },
      },
      ['depends', 'depends', 'allowed'],
    ],
    [
      'a field that a variable includes',
      { document: 'query ($v: Boolean!) { news payroll @include(if: $v) }', variables: { v: true } },
      ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed'],
    ],
    [
      'a missing variable',
      'query ($v: Boolean!) { news payroll @skip(if: $v) }',
      ['depends', 'depends', 'allowed'],
    ],
    [
      'a missing variable whose default excludes the field',
      'query ($v: Boolean = false) { news payroll @include(if: $v) }',
      ['depends', 'depends', 'allowed'],
    ],
    [
      'a missing variable whose default includes the field',
      'query ($v: Boolean = true) { ...all @include(if: $v) } fragment all on Query { news payroll }',
      ['depends', 'depends', 'allowed'],
    ],
    [
      'a variable that is not a Boolean',
      { document: 'query ($v: Boolean!) { news payroll @include(if: $v) }', variables: { v: 'yes' } },
      ['depends', 'depends', 'allowed'],
    ],
    [
      'missing variables beside a denial that does not depend on them',
      'query ($a: Boolean = false, $b: Boolean = true) { payroll news @skip(if: $a) pay: payroll @include(if: $b) }',
      ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed'],
    ],
    [
      'a missing variable that adds a second reason',
      'query ($v: Boolean = false) { payroll ledger @include(if: $v) }',
      ['MISSING_TOKEN', 'depends', 'depends'],
    ],
    [
      'a missing variable beside an interface',
      'query ($v: Boolean = false) { news posts @include(if: $v) { id } }',
      ['depends', 'depends', 'allowed'],
    ],
    [
      'a field excluded by a known variable beside a missing one',
      {
        document: 'query ($a: Boolean!, $b: Boolean = false) { news payroll @include(if: $b) @skip(if: $a) }',
        variables: { a: true },
      },
      ['allowed', 'allowed', 'allowed'],
    ],
    [
      'a policy with optional arguments',
      'query ($id: ID) { find(id: $id) }',
      ['MISSING_TOKEN', 'depends', 'depends'],
    ],
    [
      'a policy whose arguments have a default',
      'query ($id: ID! = "ada") { own(id: $id) }',
      ['MISSING_TOKEN', 'depends', 'depends'],
    ],
    [
      'a policy with a part of its arguments',
      { document: 'query ($id: ID) { find(id: "ada", in: { at: [$id] }) }' },
      ['MISSING_TOKEN', 'depends', 'depends'],
    ],
    [
      'a policy beside another field with a missing variable',
      'query ($id: ID) { own(id: "ada") public(id: $id) }',
      ['MISSING_TOKEN', 'allowed', 'POLICY_DENIED'],
    ],
    [
      'a policy that denies beside one with missing arguments',
      'query ($id: ID) { own(id: "ada") find(id: $id) }',
      ['MISSING_TOKEN', 'depends', 'POLICY_DENIED'],
    ],
    [
      'a policy of a field with a missing condition',
      'query ($v: Boolean = false) { news own(id: "ada") @include(if: $v) }',
      ['depends', 'allowed', 'depends'],
    ],
    [
      'an operation whose missing variables do not matter',
      'mutation ($id: ID!) { pay(id: $id) }',
      ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed'],
    ],
    [
      'the named operation',
      { document: 'query A { news } query B { invoices { id } }', operationName: 'B' },
      ['MISSING_TOKEN', 'allowed', 'allowed'],
    ],
    ['introspection', '{ __schema { queryType { name } } }', ['allowed', 'allowed', 'allowed']],
  ])('matrix decides %s', async (_, operation, cells) => {
    expect(await findCells(operation)).toEqual(cells);
  });

  it.each<[TestKitOptions, string[]]>([
    [{ onDenied: 'null' }, ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed']],
    [{ reportOnly: true }, ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed']],
    [{ defaultAccess: 'deny' }, ['MISSING_TOKEN', 'MISSING_ROLE', 'allowed']],
  ])('matrix shows denials also with the options %j', async (options, cells) => {
    expect(await findCells('{ news payroll }', options)).toEqual(cells);
  });

  it('matrix agrees with execution', async () => {
    const { kit } = createApp();
    const users = createUsers(kit);
    const texts = [
      '{ news }',
      '{ payroll }',
      '{ ledger }',
      '{ own(id: "ada") }',
      '{ posts { id } }',
      'mutation { pay(id: 1) }',
    ];
    const table = await kit.matrix(Object.fromEntries(texts.map((text) => [text, text])), users);
    for (const [row, text] of texts.entries()) {
      const cells = (table.split('\n')[row + 2] ?? '')
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.trim());
      for (const [column, user] of Object.values(users).entries()) {
        const { denials } = await user.execute(text);
        const actual = [...new Set(denials.map(({ reason }) => reason))].join(', ') || 'allowed';
        if (cells[column] !== 'depends')
          expect([text, column, cells[column]]).toEqual([text, column, actual]);
      }
    }
  });

  it('matrix agrees with execution for any value of missing variables', async () => {
    const { kit } = createApp();
    const users = createUsers(kit);
    const texts = [
      'query ($v: Boolean = false) { news payroll @include(if: $v) }',
      'query ($v: Boolean = true) { news payroll @include(if: $v) }',
      'query ($v: Boolean!) { payroll @skip(if: $v) ledger }',
      'query ($v: Boolean = false) { ... @include(if: $v) { own(id: "ada") } news }',
      'query ($v: Boolean = false) { payroll @skip(if: $v) other: payroll @include(if: $v) }',
      'query ($id: ID) { find(id: $id) }',
      'query ($id: ID! = "ada") { own(id: $id) }',
    ];
    const table = await kit.matrix(Object.fromEntries(texts.map((text) => [text, text])), users);
    const rows = table.split('\n').slice(2);
    let decided = 0;
    for (const [row, text] of texts.entries()) {
      const cells = (rows[row] ?? '').split('|').slice(2, -1);
      for (const [column, user] of Object.values(users).entries()) {
        const cell = cells[column]?.trim();
        if (cell === 'depends') continue;
        decided += 1;
        for (const variables of [true, false].flatMap((v) =>
          ['ada', 'eve', 'user'].map((id) => ({ v, id })),
        )) {
          const { denials } = await user.execute(text, variables);
          const actual = [...new Set(denials.map(({ reason }) => reason))].join(', ') || 'allowed';
          expect([text, column, variables, actual]).toEqual([text, column, variables, cell]);
        }
      }
    }
    expect(decided).toBeGreaterThan(5);
  });

  it.each<[string, MatrixOperation]>([
    ['an invalid operation', '{ nothing }'],
    ['a syntax error', '{'],
    ['several operations without a name', 'query A { news } query B { news }'],
  ])('matrix throws for %s', async (_, operation) => {
    const { kit, principals } = createApp();
    await expect(kit.matrix({ wrong: operation }, principals)).rejects.toThrow('matrix: operation wrong:');
  });

  it('fieldMatrix shows an expired token', async () => {
    const { kit } = createApp();
    const claims = { exp: kit.clock.now.getTime() / 1000 };
    expect(kit.fieldMatrix({ late: { claims } })).toMatch(/Query\.invoices +\| TOKEN_EXPIRED/);
  });

  it('matrix throws for an invalid principal and for a user of another kit', async () => {
    const { kit } = createApp();
    await expect(kit.matrix({}, { ada: { role: ['admin'] } as object })).rejects.toThrow(
      'principal: unknown key role',
    );
    const other = createApp().kit.as({ roles: ['admin'] });
    await expect(kit.matrix({}, { other })).rejects.toThrow('another test kit');
  });
});

describe('fieldMatrix', () => {
  it('fieldMatrix has a row for each field', () => {
    const { kit, principals } = createApp();
    const all = { ...principals, accountant: { roles: ['accountant'], scopes: ['ledger'] } };
    expect(kit.fieldMatrix(all)).toMatchInlineSnapshot(`
      "| field                 | anonymous     | ada           | admin         | accountant   |
      | --------------------- | ------------- | ------------- | ------------- | ------------ |
      | Query.news            | allowed       | allowed       | allowed       | allowed      |
      | Query.invoices        | MISSING_TOKEN | allowed       | allowed       | allowed      |
      | Query.payroll         | MISSING_TOKEN | MISSING_ROLE  | allowed       | allowed      |
      | Query.ledger          | MISSING_TOKEN | MISSING_SCOPE | MISSING_SCOPE | allowed      |
      | Query.own             | MISSING_TOKEN | depends       | depends       | depends      |
      | Query.find            | MISSING_TOKEN | depends       | depends       | depends      |
      | Query.public          | allowed       | allowed       | allowed       | allowed      |
      | Query.posts           | depends       | depends       | allowed       | depends      |
      | Query.things          | depends       | depends       | depends       | depends      |
      | Mutation.pay          | MISSING_TOKEN | MISSING_ROLE  | allowed       | MISSING_ROLE |
      | Subscription.news     | allowed       | allowed       | allowed       | allowed      |
      | Subscription.payments | MISSING_TOKEN | allowed       | allowed       | allowed      |
      | Invoice.id            | MISSING_TOKEN | allowed       | allowed       | allowed      |
      | Invoice.total         | MISSING_TOKEN | allowed       | allowed       | allowed      |
      | Invoice.margin        | MISSING_TOKEN | MISSING_ROLE  | allowed       | MISSING_ROLE |
      | Post.id               | depends       | depends       | allowed       | depends      |
      | PublicPost.id         | allowed       | allowed       | allowed       | allowed      |
      | PrivatePost.id        | MISSING_TOKEN | MISSING_ROLE  | allowed       | MISSING_ROLE |
      | Owned.id              | MISSING_TOKEN | depends       | depends       | depends      |"
    `);
  });

  it('fieldMatrix shows which field was opened', () => {
    const { kit, principals } = createApp();
    const opened = createApp(
      {},
      typeDefs.replace('margin: Float @auth(roles: ["admin"])', 'margin: Float'),
    ).kit;
    const before = new Set(kit.fieldMatrix(principals).split('\n'));
    const changed = opened
      .fieldMatrix(principals)
      .split('\n')
      .filter((line) => !before.has(line));
    expect(changed.map((line) => line.split('|')[1]?.trim())).toEqual(['Invoice.margin']);
  });

  it('fieldMatrix shows fields closed by default', () => {
    const { kit, principals } = createApp({ defaultAccess: 'deny' });
    expect(kit.fieldMatrix(principals)).toMatch(/\| Query\.news +\| MISSING_TOKEN \| allowed/);
  });
});
