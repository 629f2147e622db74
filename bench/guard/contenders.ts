// The same envelop pipeline with the guard, with generic-auth, and with neither.
import { envelop, type Plugin, useEngine, useSchema } from '@envelop/core';
import { useGenericAuth } from '@envelop/generic-auth';
import { normalizedExecutor } from '@graphql-tools/executor'; // the executor of Yoga
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

/** A principal for the guard, a user for generic-auth. */
export interface Caller {
  principal: Principal | null;
  user: User | null;
}

/** Runs one request of a parsed and validated operation. */
export type Contender = (
  document: DocumentNode,
  caller: Caller,
  rootValue: unknown,
) => ExecutionResult | Promise<ExecutionResult>;

export interface ContenderOptions {
  onDenied: 'reject' | 'null';
  /** If false, execution is left out: the root value is the result. */
  executes: boolean;
}

/** Creates one pipeline per contender, all on one schema. */
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
    guard: start([useGuard({ onDenied }) as Plugin]), // the plugin types of Yoga and envelop differ in the context only
    'generic-auth': start([
      useGenericAuth<User, Caller>({
        mode: 'protect-granular',
        resolveUserFn: ({ user }) => user,
        rejectUnauthenticated: onDenied === 'reject',
      }) as Plugin, // the type of its context is not needed
    ]),
  };
}

/** A caller with these scopes, or an anonymous one. */
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
