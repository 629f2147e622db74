// Checks the `graphql` blocks of documentation pages: operations against the schema, definitions by building them.
import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  isExecutableDefinitionNode,
  Kind,
  parse,
  print,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { listPolicyNames } from '../../../src/authorization/directives.ts';
import { ConfigError } from '../../../src/errors.ts';
import { baseTypeDefs } from '../../../src/graphql/base-schema.ts';
import { buildSchema } from '../../../src/testing/build-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createStubAccounts } from '../../../src/testing/stub-accounts.ts';
import type { CodeBlock } from './pages.ts';

const baseSchema = buildASTSchema(baseTypeDefs);

/** @param blocks of one page: operations may also be those of an application's schema on the same page */
export function findGraphqlErrors(blocks: readonly CodeBlock[]): string[] {
  const issues: string[] = [];
  const schemas: GraphQLSchema[] = [baseSchema];
  const operations: [CodeBlock, DocumentNode][] = [];
  for (const block of blocks) {
    try {
      const document = parse(block.code);
      const executable = document.definitions.filter(isExecutableDefinitionNode);
      if (executable.length === document.definitions.length) operations.push([block, document]);
      else if (executable.length > 0) issues.push(`${at(block)}: mixes operations and definitions`);
      else schemas.push(buildDefinitions(document));
    } catch (error) {
      issues.push(`${at(block)}: ${describe(error)}`);
    }
  }
  for (const [block, document] of operations) {
    const errors = schemas.map((schema) => validateOperations(schema, document));
    if (errors.every((list) => list.length > 0)) issues.push(`${at(block)}: ${errors[0]?.join(' ')}`);
  }
  return issues;
}

const at = ({ page, line }: CodeBlock) => `${page}:${line}`;

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.issues.join('; ');
  return error instanceof GraphQLError || error instanceof Error ? error.message : String(error);
}

/** Fragments may be shown without an operation that uses them. */
function validateOperations(schema: GraphQLSchema, document: DocumentNode): string[] {
  const rules = specifiedRules.filter(({ name }) => name !== 'NoUnusedFragmentsRule');
  return validate(schema, document, rules).map(({ message }) => message);
}

/**
 * Builds the definitions as a server does: by themselves if they define `Query`, or else on top of Bandha's, with access rules
 * read. Definitions quoted from Bandha's own schema must be the same as there.
 */
function buildDefinitions(document: DocumentNode): GraphQLSchema {
  const quoted = document.definitions.filter(isBaseDefinition);
  for (const definition of quoted) assertQuote(definition);
  const own: DocumentNode = {
    ...document,
    definitions: document.definitions.filter((definition) => !quoted.includes(definition)),
  };
  if (own.definitions.length === 0) return baseSchema;
  const schema = buildSchema({
    typeDefs: own,
    accounts: createStubAccounts({}),
    signup: 'open',
  });
  const policies = Object.fromEntries(listPolicyNames(schema).map((name) => [name, () => true]));
  createTestKit({ schema }, { policies });
  return schema;
}

function keyOf(definition: DefinitionNode): string | undefined {
  const { kind, name } = definition as { kind: string; name?: { value: string } }; // extensions of schemas have no name
  return kind.endsWith('Definition') && name !== undefined ? `${kind} ${name.value}` : undefined;
}

const baseDefinitions = new Map(
  baseTypeDefs.definitions.map((definition) => [keyOf(definition), definition]),
);

function isBaseDefinition(definition: DefinitionNode): boolean {
  const key = keyOf(definition);
  // A schema of its own has a type `Query` too.
  return key !== undefined && key !== `${Kind.OBJECT_TYPE_DEFINITION} Query` && baseDefinitions.has(key);
}

function assertQuote(definition: DefinitionNode): void {
  const key = keyOf(definition);
  const original = baseDefinitions.get(key);
  if (original !== undefined && printBare(original) === printBare(definition)) return;
  throw new Error(`${key} is not as in schema.graphql`);
}

/** Without descriptions. */
function printBare(definition: DefinitionNode): string {
  return print(
    visit(definition, { StringValue: (_node, key) => (key === 'description' ? null : undefined) }),
  );
}
