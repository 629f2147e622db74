// The warning about interfaces whose implementations demand different things.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { expect, it } from 'vitest';
import { type GuardOptions, useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

/** What is logged when the schema is set. */
function warningsOf(types: string, options: GuardOptions = {}): string[] {
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => warnings.push(message) };
  const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, 'type Query { node: Node }', types] });
  createYoga({ schema, plugins: [useGuard({ log, policies: { owner: () => true }, ...options })] });
  return warnings;
}

const NODE = 'interface Node { id: ID name: String }';
const ADMIN = '@auth(roles: ["admin"])';

it.each<[string, string, string[], GuardOptions?]>([
  [
    'implementations that agree on nothing being needed',
    'type A implements Node { id: ID name: String }',
    [],
  ],
  [
    'implementations that agree',
    'type A implements Node @auth { id: ID name: String } type B implements Node @auth { id: ID name: String }',
    [],
  ],
  ['a single implementation', 'type A implements Node @auth { id: ID name: String @auth(maxAge: 5) }', []],
  [
    'what the interface itself demands',
    `extend interface Node @auth type A implements Node { id: ID name: String } type B implements Node @auth { id: ID name: String }`,
    [],
  ],
  [
    'fields that are not the interface’s',
    'type A implements Node { id: ID name: String own: Int @auth } type B implements Node { id: ID name: String own: Int }',
    [],
  ],
  [
    'a union whose members differ',
    'type A @auth { id: ID } type B implements Node { id: ID name: String } union U = A | B extend type Query { u: U }',
    [],
  ],
  [
    'one demand written in two ways',
    `type A implements Node { id: ID name: String @auth(roles: ["a", "b"]) }
     type B implements Node { id: ID name: String @auth(roles: ["b", "a"]) }`,
    [],
  ],
  [
    'a sign-in written in two ways',
    `type A implements Node { id: ID @authenticated name: String }
     type B implements Node { id: ID @auth name: String }`,
    [],
  ],
  [
    'a field that one protects',
    'type A implements Node { id: ID @auth name: String } type B implements Node { id: ID name: String }',
    ['The implementations of Node.id disagree: A.id needs sign-in, B.id needs nothing'],
  ],
  [
    'a type that is protected, field by field',
    `type A implements Node ${ADMIN} { id: ID name: String } type B implements Node { id: ID name: String }`,
    [
      'The implementations of Node.id disagree: A.id needs role admin, B.id needs nothing',
      'The implementations of Node.name disagree: A.name needs role admin, B.name needs nothing',
    ],
  ],
  [
    'demands that differ',
    `type A implements Node { id: ID @auth(scopes: [["r", "w"], ["all"]]) name: String }
     type B implements Node { id: ID @auth(policies: [["owner"]], maxAge: 60) name: String }
     type C implements Node { id: ID @auth name: String }`,
    [
      'The implementations of Node.id disagree: A.id needs scope r and w, or all, B.id needs policy owner; sign-in within 60 s, C.id needs sign-in',
    ],
  ],
  [
    'a field that returns a protected type in one',
    `interface Part { id: ID } type Open implements Part { id: ID } type Shut implements Part { id: ID @auth }
     extend interface Node { part: Part }
     type Secret implements Part @auth { id: ID }
     type A implements Node { id: ID name: String part: Secret } type B implements Node { id: ID name: String part: Open }`,
    [
      'The implementations of Part.id disagree: Open.id needs nothing, Shut.id needs sign-in, Secret.id needs sign-in',
      'The implementations of Node.part disagree: A.part needs sign-in, B.part needs nothing',
    ],
  ],
  [
    'default deny, where one is public',
    'type A implements Node @public { id: ID name: String } type B implements Node { id: ID name: String @public }',
    ['The implementations of Node.id disagree: A.id needs nothing, B.id needs sign-in'],
    { defaultAccess: 'deny' },
  ],
])('%s', (_, types, expected, options) => {
  expect(warningsOf(`${NODE} ${types}`, options).toSorted()).toEqual(expected.toSorted());
});
