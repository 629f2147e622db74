// Compares the guard with an oracle, which resolves the whole tree and checks every object, on thousands of generated operations.
import { useGenericAuth } from '@envelop/generic-auth';
import { makeExecutableSchema } from '@graphql-tools/schema';
import fc, { type GeneratorValue } from 'fast-check';
import {
  type ExecutionResult,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../src/authorization/policies.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { type GeneratedObject, valueAt } from '../../support/generated/data.ts';
import {
  type GeneratedOperation,
  generateOperation,
  type OperationLimits,
} from '../../support/generated/operation.ts';
import {
  computeExpectation,
  type GeneratedCaller,
  meetsRules,
  rulesOfField,
} from '../../support/generated/oracle.ts';
import { type GeneratedSchema, generateSchema, type SchemaLimits } from '../../support/generated/schema.ts';

const SCHEMAS = 500;
/** Generated operations may declare variables that they do not use. */
const RULES = specifiedRules.filter(({ name }) => name !== 'NoUnusedVariablesRule');
const NOW = new Date('2026-11-22T12:00:00Z');

function buildSchema(generated: GeneratedSchema): GraphQLSchema {
  const objects = [...generated.types.values()].filter(({ kind }) => kind === 'object');
  const resolvers = objects.map(({ name, fields }) => [
    name,
    Object.fromEntries(
      fields.map((field) => [
        field.name,
        (source: GeneratedObject | undefined, _: unknown, { calls }: { calls: Set<string> }) => {
          calls.add(`${name}.${field.name}`);
          return valueAt(generated, field, source?.path ?? '');
        },
      ]),
    ),
  ]);
  return makeExecutableSchema({
    typeDefs: [directiveTypeDefs, generated.sdl],
    resolvers: Object.fromEntries(resolvers),
  });
}

function generateCaller(g: GeneratorValue): GeneratedCaller | null {
  if (g(() => fc.integer({ min: 0, max: 3 })) === 0) return null;
  return {
    roles: g(() => fc.subarray(['admin', 'editor'])),
    scopes: g(() => fc.subarray(['x', 'y'])),
    policies: g(() => fc.subarray(['even', 'odd'])),
    secondsSinceSignIn: g(() => fc.constantFrom(0, 300, 301)),
  };
}

function toPrincipal(caller: GeneratedCaller | null): Principal | null {
  return (
    caller && {
      userId: 'ada',
      sessionId: '',
      roles: new Set(caller.roles),
      scopes: new Set(caller.scopes),
      authenticatedAt: new Date(NOW.getTime() - caller.secondsSinceSignIn * 1000),
      claims: { policies: caller.policies },
    }
  );
}

/** One operation for one caller. Several cases share a schema. */
interface Case {
  generated: GeneratedSchema;
  operation: GeneratedOperation;
  caller: GeneratedCaller | null;
  /** The fields whose resolvers ran. */
  calls: ReadonlySet<string>;
  /** Runs the operation on one of the servers, by index. */
  run(server: number): Promise<ExecutionResult>;
}

const CASES_PER_SCHEMA = 6;
const DECISIONS = SCHEMAS * CASES_PER_SCHEMA;

interface Limits {
  schema: SchemaLimits;
  operation: OperationLimits;
}

/** Generates schemas, and operations with callers on each, and passes every case to `assertCase`. */
function check(limits: Limits, servers: Plugin[][], assertCase: (one: Case) => Promise<void>) {
  return fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const generated = generateSchema(g, limits.schema);
      const schema = buildSchema(generated);
      const yogas = servers.map((plugins) =>
        createYoga({ schema, plugins, logging: false, graphiql: false, maskedErrors: false }),
      );
      let operation = generateOperation(g, generated, limits.operation);
      for (let i = 0; i < CASES_PER_SCHEMA; i += 1) {
        // Each operation runs for two callers: cached results of the first must not reach the second.
        if (i % 2 === 0) operation = generateOperation(g, generated, limits.operation);
        if (validate(schema, parse(operation.document), RULES).length > 0) continue;
        const caller = generateCaller(g);
        // A new set: resolvers may still run after the response.
        const calls = new Set<string>();
        const run = (server: number) => runOn(yogas[server], operation, caller, calls);
        await assertCase({ generated, operation, caller, calls, run });
      }
    }),
    // Does not shrink a failing case, which takes hours: its seed and path are enough to repeat it.
    { numRuns: SCHEMAS, endOnFailure: true },
  );
}

async function runOn(
  yoga: YogaServerInstance<object, object> | undefined,
  { document, operationName, variables }: GeneratedOperation,
  caller: GeneratedCaller | null,
  calls: Set<string>,
): Promise<ExecutionResult> {
  if (yoga === undefined) throw new Error('No server has this index');
  const enveloped = yoga.getEnveloped({ caller, calls, principal: toPrincipal(caller) });
  return enveloped.execute({
    schema: enveloped.schema,
    document: enveloped.parse(document),
    operationName,
    variableValues: variables,
    contextValue: await enveloped.contextFactory(),
  });
}

const EVERYTHING: SchemaLimits = {
  ruleWeight: 3,
  abstractTypes: true,
  directives: ['auth', 'federation', 'policies'],
  onLeaves: true,
  onTypes: true,
};
const EVERY_SELECTION: OperationLimits = {
  fragments: true,
  conditions: true,
  siblings: true,
  typenames: true,
};

const policy =
  (name: string): Policy =>
  ({ principal }) =>
    Array.isArray(principal.claims.policies) && principal.claims.policies.includes(name);

describe.each(['reject', 'null'] as const)('the guard, onDenied %s', (onDenied) => {
  it(`the guard decides like the oracle and runs no denied resolver, ${DECISIONS}×`, async () => {
    const seen = { rejected: 0, partial: 0, whole: 0 };
    const policies = { even: policy('even'), odd: policy('odd') };
    const guard = useGuard({ onDenied, policies, now: () => NOW, log: { warn() {} } });
    await check({ schema: EVERYTHING, operation: EVERY_SELECTION }, [[guard]], async (one) => {
      const { generated, operation, caller, calls } = one;
      const result = await one.run(0);
      const document = parse(operation.document);
      const node = getOperationAST(document, operation.operationName);
      if (!node) throw new Error('The document has no such operation');
      const expected = computeExpectation(generated, document, node, operation.variables, caller);
      for (const coordinate of calls) {
        const [type = '', field = ''] = coordinate.split('.');
        expect(meetsRules(rulesOfField(generated, type, field), caller), `${coordinate} ran`).toBe(true);
      }
      if (onDenied === 'reject' && expected.isRejected) {
        expect(result.errors?.length).toBeGreaterThan(0);
        expect('data' in result).toBe(false);
        expect(calls.size).toBe(0);
        seen.rejected += 1;
        return;
      }
      const paths = (result.errors ?? []).map(({ path }) => path?.join('.') ?? '');
      expect(JSON.parse(JSON.stringify(result.data))).toEqual(expected.data);
      expect(new Set(paths).size, 'one error a position').toBe(paths.length);
      for (const path of paths) expect(expected.denied).toContain(path);
      for (const path of expected.visiblyDenied) expect(paths).toContain(path);
      if (paths.length > 0) seen.partial += 1;
      else seen.whole += 1;
    });
    // Proves that the generated cases have each outcome.
    if (onDenied === 'reject') expect(seen.rejected).toBeGreaterThan(DECISIONS / 20);
    // Seen in five runs: 1.0 to 2.2 % of the decisions.
    expect(seen.partial).toBeGreaterThan(DECISIONS / 150);
    expect(seen.whole).toBeGreaterThan(DECISIONS / 20);
  }, 300_000);
});

describe('@envelop/generic-auth', () => {
  it(`generic-auth decides like the guard on object fields, ${DECISIONS} times`, async () => {
    const seen = { rejected: 0, whole: 0 };
    const limits: Limits = {
      schema: {
        ...EVERYTHING,
        abstractTypes: false,
        directives: ['federation'],
        onLeaves: false,
        onTypes: false,
      },
      operation: { fragments: true, conditions: false, siblings: false, typenames: false },
    };
    const genericAuth = useGenericAuth<{ scope: string }, { caller?: GeneratedCaller | null }>({
      mode: 'protect-granular',
      resolveUserFn: ({ caller }) => caller && { scope: caller.scopes.join(' ') },
    });
    await check(limits, [[useGuard()], [genericAuth as Plugin]], async ({ run }) => {
      const ours = await run(0);
      const theirs = await run(1);
      expect(Boolean(ours.data)).toBe(Boolean(theirs.data));
      if (theirs.data) expect(ours).toEqual(theirs);
      if (theirs.data) seen.whole += 1;
      else seen.rejected += 1;
    });
    expect(seen.rejected).toBeGreaterThan(DECISIONS / 20);
    expect(seen.whole).toBeGreaterThan(DECISIONS / 20);
  }, 300_000);
});
