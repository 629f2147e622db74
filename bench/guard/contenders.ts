// The same envelop pipeline with the guard, with generic-auth, and with neither.
import { envelop, type Plugin, useEngine, useSchema } from '@envelop/core';
import { useGenericAuth } from '@envelop/generic-auth';
import { normalizedExecutor } from '@graphql-tools/executor'; // the one Yoga brings
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import { useGuard } from '../../src/authorization/use-guard.ts';
import { createPrincipal } from '../../src/tokens/create-principal.ts';
import type { Principal } from '../../src/tokens/principal.ts';

export const CONTENDERS = ['neither', 'guard', 'generic-auth'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

interface User {
  scope: readonly string[];
}

/** Who asks: for the guard as a principal, for generic-auth as a user. */
export interface Caller {
  principal: Principal | null;
  user: User | null;
}

/** Sends one request of an operation that is parsed and validated. */
export type Contender = (
  document: DocumentNode,
  caller: Caller,
  rootValue: unknown,
) => ExecutionResult | Promise<ExecutionResult>;

export interface ContenderOptions {
  onDenied: 'reject' | 'null';
  /** Without it, execution is left out: the root value itself is the answer. */
  executes: boolean;
}

/** The pipelines, one a contender, on one schema. */
export function createContenders(
  schema: GraphQLSchema,
  { onDenied, executes }: ContenderOptions,
): Record<ContenderName, Contender> {
  const execute = executes ? normalizedExecutor : ({ rootValue }: ExecutionArgs) => rootValue;
  const start = (plugins: Plugin[]): Contender => {
    const engine = useEngine({ parse, validate, specifiedRules, execute, subscribe });
    const getEnveloped = envelop({ plugins: [engine, useSchema(schema), ...plugins] });
    return (document, caller, rootValue) => {
      const enveloped = getEnveloped({ ...caller });
      const contextValue = enveloped.contextFactory();
      return enveloped.execute({ schema: enveloped.schema, document, rootValue, contextValue });
    };
  };
  return {
    neither: start([]),
    guard: start([useGuard({ onDenied }) as Plugin]), // Yoga's plugin type and envelop's differ in the context alone
    'generic-auth': start([
      useGenericAuth<User, Caller>({
        mode: 'protect-granular',
        resolveUserFn: ({ user }) => user,
        rejectUnauthenticated: onDenied === 'reject',
      }) as Plugin, // what it adds to the context is nobody's business here
    ]),
  };
}

/** Someone signed in with these scopes; without any, nobody. */
export function createCaller(scopes?: readonly string[]): Caller {
  if (scopes === undefined) return { principal: null, user: null };
  const principal = createPrincipal({
    userId: 'ada',
    sessionId: 'session',
    scopes,
    authenticatedAt: new Date(),
  });
  return { principal, user: { scope: scopes } };
}
