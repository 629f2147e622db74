// A schema with every field twice, public (open) and protected (closed), and documents that select N fields.
import { DIRECTIVE_SDL, REQUIRES_SCOPES_DIRECTIVE_SDL } from '@envelop/generic-auth';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';

/** A predicate of leaf fields, by index: for example whether the closed form is selected. */
export type LeafTest = (index: number) => boolean;

/** Requirements of the closed fields, in turn. */
const RULES = [
  '@requiresScopes(scopes: [["audit"]])',
  '@authenticated',
  '@requiresScopes(scopes: [["read"]])',
  '@requiresScopes(scopes: [["read", "list"]])',
  '@requiresScopes(scopes: [["admin"], ["audit", "list"]])',
];
export const ALL_SCOPES: readonly string[] = ['read', 'list', 'audit', 'admin'];
/** Satisfy all but the first and the last rule. */
export const SOME_SCOPES: readonly string[] = ['read', 'list'];

/** Leaf fields of a section, half of them in its details. */
const LEAVES_PER_SECTION = 20;
const LEAVES_PER_TYPE = LEAVES_PER_SECTION / 2;

/** One in four leaf fields is closed, by each of the five rules in turn. */
export const oneInFour: LeafTest = (index) => index % 4 === 0;

/** Those whose rule `SOME_SCOPES` do not satisfy. */
export const closedToSome: LeafTest = (index) =>
  oneInFour(index) && [0, 4].includes((index / 4) % RULES.length);

/** A schema with `size` leaf fields, each once as `openN` and once as `closedN`. */
export function createSchema(size: number): GraphQLSchema {
  const sections = range(Math.ceil(size / LEAVES_PER_SECTION));
  const fields = (first: number) =>
    range(LEAVES_PER_TYPE)
      .map((i) => first + i)
      .map((i) => `open${i}: String closed${i}: String ${RULES[Math.floor(i / 4) % RULES.length]}`)
      .join('\n');
  return makeExecutableSchema({
    typeDefs: [
      DIRECTIVE_SDL,
      REQUIRES_SCOPES_DIRECTIVE_SDL,
      `type Query { ${sections.map((k) => `section${k}: Section${k}`).join('\n')} }`,
      ...sections.flatMap((k) => [
        `type Section${k} { ${fields(k * LEAVES_PER_SECTION)} details: Details${k} }`,
        `type Details${k} { ${fields(k * LEAVES_PER_SECTION + LEAVES_PER_TYPE)} }`,
      ]),
    ],
  });
}

/**
 * A query of `size` distinct leaf fields, 20 a section: half of them in a nested object, one in five behind an alias,
 * some in inline fragments, every other section's details in a named fragment.
 */
export function writeQuery(size: number, isClosed: LeafTest): string {
  const leaf = (i: number) => {
    const name = `${isClosed(i) ? 'closed' : 'open'}${i}`;
    return i % 5 === 0 ? `alias${i}: ${name}` : name;
  };
  const named: string[] = [];
  const sections = range(Math.ceil(size / LEAVES_PER_SECTION)).map((k) => {
    const first = k * LEAVES_PER_SECTION;
    const leaves = range(Math.min(LEAVES_PER_SECTION, size - first)).map((i) => leaf(first + i));
    const direct = leaves.slice(0, LEAVES_PER_TYPE / 2).join(' ');
    const inline = leaves.slice(LEAVES_PER_TYPE / 2, LEAVES_PER_TYPE).join(' ');
    const nested = leaves.slice(LEAVES_PER_TYPE).join(' ');
    if (k % 2 === 0 && nested !== '') named.push(`fragment Parts${k} on Details${k} { ${nested} }`);
    return [
      k % 2 === 0 ? `section${k} {` : `aliased${k}: section${k} {`,
      direct,
      inline && `... on Section${k} { ${inline} }`,
      nested && `details { ${k % 2 === 0 ? `...Parts${k}` : nested} }`,
      '}',
    ].join(' ');
  });
  return [`query { ${sections.join('\n')} }`, ...named].join('\n');
}

/** The root value: a string for every leaf field. */
export function createData(size: number): Record<string, unknown> {
  const leaves = (first: number) =>
    range(LEAVES_PER_TYPE)
      .map((i) => first + i)
      .flatMap((i) => [
        [`open${i}`, `open ${i}`],
        [`closed${i}`, `closed ${i}`],
      ]);
  return Object.fromEntries(
    range(Math.ceil(size / LEAVES_PER_SECTION)).map((k) => {
      const first = k * LEAVES_PER_SECTION;
      const details = Object.fromEntries(leaves(first + LEAVES_PER_TYPE));
      return [`section${k}`, { ...Object.fromEntries(leaves(first)), details }];
    }),
  );
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
