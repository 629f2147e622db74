// The warning about interface fields whose implementations have different requirements.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

const TYPES = `
  type Query { node: Node }
  interface Node { id: ID name: String }
`;
const ADMIN = '@auth(roles: ["admin"])';

/** The fields of all warnings that are logged when the schema is set, as text. */
function warningsOf(types: string, options: GuardOptions = {}): string[] {
  const warnings: string[] = [];
  const log = {
    warn(fields: object, message: string) {
      expect(message).toBe('implementations of an interface field have different requirements');
      warnings.push(JSON.stringify(fields));
    },
  };
  const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, TYPES, types] });
  createYoga({ schema, plugins: [useGuard({ log, policies: { owner: () => true }, ...options })] });
  return warnings;
}

it.each<[string, string]>([
  ['implementations without a requirement', `type A implements Node { id: ID name: String }`],
  [
    'implementations with the same requirement',
    `type A implements Node @auth { id: ID name: String }
     type B implements Node @auth { id: ID name: String }`,
  ],
  ['a single implementation', `type A implements Node @auth { id: ID name: String @auth(maxAge: 5) }`],
  [
    'a rule that the interface itself has',
    `extend interface Node @auth
     type A implements Node { id: ID name: String }
     type B implements Node @auth { id: ID name: String }`,
  ],
  [
    'fields that the interface does not have',
    `type A implements Node { id: ID name: String own: Int @auth }
     type B implements Node { id: ID name: String own: Int }`,
  ],
  [
    'a union whose members differ',
    `type A @auth { id: ID }
     type B implements Node { id: ID name: String }
     union U = A | B
     extend type Query { u: U }`,
  ],
  [
    'roles in another order',
    `type A implements Node { id: ID name: String @auth(roles: ["a", "b"]) }
     type B implements Node { id: ID name: String @auth(roles: ["b", "a"]) }`,
  ],
  [
    '@authenticated beside @auth',
    `type A implements Node { id: ID @authenticated name: String }
     type B implements Node { id: ID @auth name: String }`,
  ],
])('the guard does not warn about %s', (_, types) => {
  expect(warningsOf(types)).toEqual([]);
});

it.each<[string, string, { coordinate: string; needs: Record<string, string> }[], GuardOptions?]>([
  [
    'a field that one implementation protects',
    `type A implements Node { id: ID @auth name: String }
     type B implements Node { id: ID name: String }`,
    [{ coordinate: 'Node.id', needs: { 'A.id': 'sign-in', 'B.id': 'nothing' } }],
  ],
  [
    'every field of a protected implementation',
    `type A implements Node ${ADMIN} { id: ID name: String }
     type B implements Node { id: ID name: String }`,
    [
      { coordinate: 'Node.id', needs: { 'A.id': 'role admin', 'B.id': 'nothing' } },
      { coordinate: 'Node.name', needs: { 'A.name': 'role admin', 'B.name': 'nothing' } },
    ],
  ],
  [
    'different rules',
    `type A implements Node { id: ID @auth(scopes: [["r", "w"], ["all"]]) name: String }
     type B implements Node { id: ID @auth(policies: [["owner"]], maxAge: 60) name: String }
     type C implements Node { id: ID @auth name: String }`,
    [
      {
        coordinate: 'Node.id',
        needs: {
          'A.id': 'scope r and w, or all',
          'B.id': 'policy owner; sign-in within 60 s',
          'C.id': 'sign-in',
        },
      },
    ],
  ],
  [
    'a field that returns a protected type in one implementation',
    `interface Part { id: ID }
     type Open implements Part { id: ID }
     type Shut implements Part { id: ID @auth }
     type Secret implements Part @auth { id: ID }
     extend interface Node { part: Part }
     type A implements Node { id: ID name: String part: Secret }
     type B implements Node { id: ID name: String part: Open }`,
    [
      {
        coordinate: 'Part.id',
        needs: { 'Open.id': 'nothing', 'Shut.id': 'sign-in', 'Secret.id': 'sign-in' },
      },
      { coordinate: 'Node.part', needs: { 'A.part': 'sign-in', 'B.part': 'nothing' } },
    ],
  ],
  [
    'a field that is public in one implementation, if the default is to deny',
    `type A implements Node @public { id: ID name: String }
     type B implements Node { id: ID name: String @public }`,
    [{ coordinate: 'Node.id', needs: { 'A.id': 'nothing', 'B.id': 'sign-in' } }],
    { defaultAccess: 'deny' },
  ],
])('the guard warns about %s', (_, types, expected, options) => {
  // In the order of the schema's types, which is not the order of the text.
  const parse = (warnings: string[]) => warnings.toSorted().map((warning) => JSON.parse(warning));
  expect(parse(warningsOf(types, options))).toEqual(parse(expected.map((one) => JSON.stringify(one))));
});
