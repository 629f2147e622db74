// Thousands of made-up schemas and operations: the guard against an oracle that resolves everything and asks everywhere.
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
/** A variable that is not used does no harm here. */
const RULES = specifiedRules.filter(({ name }) => name !== 'NoUnusedVariablesRule');
const NOW = new Date('2026-11-22T12:00:00Z');

function buildSchema(made: GeneratedSchema): GraphQLSchema {
  const objects = [...made.types.values()].filter(({ kind }) => kind === 'object');
  const resolvers = objects.map(({ name, fields }) => [
    name,
    Object.fromEntries(
      fields.map((field) => [
        field.name,
        (source: GeneratedObject | undefined, _: unknown, { calls }: { calls: Set<string> }) => {
          calls.add(`${name}.${field.name}`);
          return valueAt(made, field, source?.path ?? '');
        },
      ]),
    ),
  ]);
  return makeExecutableSchema({
    typeDefs: [directiveTypeDefs, made.sdl],
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
      userId: 'somebody',
      sessionId: '',
      roles: new Set(caller.roles),
      scopes: new Set(caller.scopes),
      authenticatedAt: new Date(NOW.getTime() - caller.secondsSinceSignIn * 1000),
      claims: { policies: caller.policies },
    }
  );
}

/** One operation for one caller, on a schema that others run on too. */
interface Case {
  made: GeneratedSchema;
  operation: GeneratedOperation;
  caller: GeneratedCaller | null;
  /** The fields whose resolvers ran. */
  calls: ReadonlySet<string>;
  /** What the server with these plugins answers. */
  run(server: number): Promise<ExecutionResult>;
}

const CASES_PER_SCHEMA = 6;
const DECISIONS = SCHEMAS * CASES_PER_SCHEMA;

interface Limits {
  schema: SchemaLimits;
  operation: OperationLimits;
}

/** Makes schemas, runs operations on each as various callers, and looks at what comes of them. */
function check(limits: Limits, servers: Plugin[][], holds: (one: Case) => Promise<void>) {
  return fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const made = generateSchema(g, limits.schema);
      const schema = buildSchema(made);
      const yogas = servers.map((plugins) =>
        createYoga({ schema, plugins, logging: false, graphiql: false, maskedErrors: false }),
      );
      let operation = generateOperation(g, made, limits.operation);
      for (let i = 0; i < CASES_PER_SCHEMA; i += 1) {
        // Each operation for two callers: what is kept of the first must not show at the second.
        if (i % 2 === 0) operation = generateOperation(g, made, limits.operation);
        if (validate(schema, parse(operation.document), RULES).length > 0) continue;
        const caller = generateCaller(g);
        // A set of its own: what the executor left running goes on after the answer.
        const calls = new Set<string>();
        const run = (server: number) => runOn(yogas[server], operation, caller, calls);
        await holds({ made, operation, caller, calls, run });
      }
    }),
    // Making a failing case smaller takes hours; its seed and path are enough to find it again.
    { numRuns: SCHEMAS, endOnFailure: true },
  );
}

async function runOn(
  yoga: YogaServerInstance<object, object> | undefined,
  { document, operationName, variables }: GeneratedOperation,
  caller: GeneratedCaller | null,
  calls: Set<string>,
): Promise<ExecutionResult> {
  if (yoga === undefined) throw new Error('There is no such server');
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
const ALL_WAYS: OperationLimits = { fragments: true, conditions: true, siblings: true, typenames: true };

const policy =
  (name: string): Policy =>
  ({ principal }) =>
    Array.isArray(principal.claims.policies) && principal.claims.policies.includes(name);

describe.each(['reject', 'null'] as const)('the guard, onDenied %s', (onDenied) => {
  it(`decides as the oracle does, and runs no forbidden resolver, ${DECISIONS} times`, async () => {
    const seen = { refused: 0, partial: 0, whole: 0 };
    const policies = { even: policy('even'), odd: policy('odd') };
    const guard = useGuard({ onDenied, policies, now: () => NOW, log: { warn() {} } });
    await check({ schema: EVERYTHING, operation: ALL_WAYS }, [[guard]], async (one) => {
      const { made, operation, caller, calls } = one;
      const result = await one.run(0);
      const document = parse(operation.document);
      const node = getOperationAST(document, operation.operationName);
      if (!node) throw new Error('The operation is not there');
      const expected = computeExpectation(made, document, node, operation.variables, caller);
      for (const coordinate of calls) {
        const [type = '', field = ''] = coordinate.split('.');
        expect(meetsRules(rulesOfField(made, type, field), caller), `${coordinate} ran`).toBe(true);
      }
      if (onDenied === 'reject' && expected.isRejected) {
        expect(result.errors?.length).toBeGreaterThan(0);
        expect('data' in result).toBe(false);
        expect(calls.size).toBe(0);
        seen.refused += 1;
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
    // Or it would have tried nothing.
    if (onDenied === 'reject') expect(seen.refused).toBeGreaterThan(DECISIONS / 20);
    expect(seen.partial).toBeGreaterThan(DECISIONS / 100);
    expect(seen.whole).toBeGreaterThan(DECISIONS / 20);
  }, 300_000);
});

describe('@envelop/generic-auth', () => {
  it(`agrees where it is sound, ${DECISIONS} times: no interfaces, unions or conditions, rules on fields`, async () => {
    const seen = { refused: 0, whole: 0 };
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
      else seen.refused += 1;
    });
    expect(seen.refused).toBeGreaterThan(DECISIONS / 20);
    expect(seen.whole).toBeGreaterThan(DECISIONS / 20);
  }, 300_000);
});
