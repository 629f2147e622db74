// Searches for the worst document among generated ones, up to the length of a request. Measures work instead of time:
// `npm run worst-document --workspace bench` prints milliseconds.
import { normalizedExecutor } from '@graphql-tools/executor';
import fc from 'fast-check';
import { buildSchema, type ExecutionResult, getOperationAST, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFieldConflicts } from '../../../src/http/limits/field-conflicts.ts';
import { createIntrospectionCounter } from '../../../src/http/limits/introspection-cost.ts';
import { measureOperation } from '../../../src/http/limits/operation-cost.ts';
import { toFragmentMap } from '../../../src/utils/fragments.ts';
import { writeDocument } from '../../support/generated/write-document.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

const LIST_SIZE = 3;
const schema = buildSchema(`
  interface Node { id: ID, node: Node, nodes: [Node] }
  type A implements Node { id: ID, node: Node, nodes: [Node], own: [String], grid: [[A]], root: Query }
  type B implements Node { id: ID, node: Node, nodes: [Node], own: [String], any: [Any] }
  union Any = A | B
  type Query { id: ID, a: A, b: B, node: Node, nodes: [Node], any: Any, root: Query }
`);

/** Creates objects of both types alternately, in lists of the assumed size. */
function objectOf(typeName: string, depth = 0): Record<string, unknown> {
  const other = (i: number) => objectOf((depth + i) % 2 === 0 ? 'A' : 'B', depth + 1);
  const list = () => Array.from({ length: LIST_SIZE }, (_, i) => other(i));
  return {
    __typename: typeName,
    id: 'id',
    own: ['x', 'y', 'z'],
    node: () => other(0),
    any: () => (typeName === 'Query' ? other(1) : list()),
    nodes: list,
    grid: () =>
      Array.from({ length: LIST_SIZE }, () =>
        Array.from({ length: LIST_SIZE }, () => objectOf('A', depth + 1)),
      ),
    a: () => objectOf('A', depth + 1),
    b: () => objectOf('B', depth + 1),
    root: () => objectOf('Query', depth + 1),
  };
}

/** Counts the keys of all objects in a response: the fields that were executed. */
function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + countKeys(item), 0);
}

describe('the cost of a generated operation', () => {
  it('the cost of an operation is at least the number of executed fields', () => {
    let executed = 0;
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const pick = (below: number) => gen(fc.nat, below - 1);
        const text = writeDocument(
          schema,
          { times: [1, 1, 1, 2, 3], maxDepth: 6, fragments: 5, maxLength: 300 },
          pick,
        );
        const document = parse(text);
        if (validate(schema, document).length > 0) return;
        const operation = getOperationAST(document);
        if (!operation) return;
        const introspectionCostOf = createIntrospectionCounter(schema, toFragmentMap(document), 1e6);
        const cost = measureOperation(schema, document, operation, {
          listSizeOf: () => LIST_SIZE,
          introspectionCostOf,
        });
        if (cost.fields + cost.introspection > 20_000) return;
        const { data, errors } = normalizedExecutor({
          schema,
          document,
          rootValue: objectOf('Query'),
        }) as ExecutionResult;
        expect(errors).toBeUndefined();
        executed += 1;
        expect(cost.fields + cost.introspection).toBeGreaterThanOrEqual(countKeys(data));
      }),
      { numRuns: Number(process.env.RUNS ?? 1_000) },
    );
    expect(executed).toBeGreaterThan(200);
  });
});

describe('the worst of the generated requests', () => {
  let server: TestServer;
  let token: string;
  beforeAll(async () => {
    server = await startTestServer();
    token = (await register(server.url)).accessToken;
  });
  afterAll(() => server.close());

  it('no generated request exceeds the limits of execution and validation', async () => {
    const outcomes = { data: 0, tooCostly: 0, others: 0 };
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (gen) => {
        const pick = (below: number) => gen(fc.nat, below - 1);
        const text = writeDocument(
          server.bandha.schema,
          { times: [1, 2, 5, 20, 100, 1_000], maxDepth: 7, fragments: 20, maxLength: 8_000 },
          pick,
        ).slice(0, 95_000);
        const { status, body } = await server.send(text, { token, variables: { name: 'Session' } });
        const codes = new Set(
          body.errors?.map((error: { extensions: { code: string } }) => error.extensions.code),
        );
        if (codes.has('OPERATION_TOO_COSTLY')) {
          expect(status).toBe(400);
          expect(body).not.toHaveProperty('data');
          outcomes.tooCostly += 1;
        } else if (body.data) outcomes.data += 1;
        else outcomes.others += 1;
        expect(countKeys(body.data)).toBeLessThanOrEqual(30_000); // maxCost and maxIntrospectionCost
        expect(body.errors?.length ?? 0).toBeLessThanOrEqual(101);
        expect(JSON.stringify(body).length).toBeLessThan(5_000_000);
        if (codes.has('GRAPHQL_PARSE_FAILED')) return;
        expect(findFieldConflicts(server.bandha.schema, parse(text), 50_000).steps).toBeLessThan(62_000);
      }),
      { numRuns: Number(process.env.RUNS ?? 200) },
    );
    expect(outcomes.data).toBeGreaterThan(10);
    expect(outcomes.tooCostly).toBeGreaterThan(10);
    if (process.env.RUNS) console.log(outcomes);
  }, 120_000);
});
