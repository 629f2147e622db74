// Logs each response with denied fields at debug level: the caller, the fields and the reasons.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { BandhaContext } from '../../context.ts';
import { findAuthError } from '../../errors.ts';
import type { Log } from '../../utils/log.ts';

/** Logs the denials of one result. Logs nothing if the result has none. */
export type ReportDenials = (result: ExecutionResult, contextValue: unknown) => void;

/** Maximum number of denied fields per line. An operation may have thousands; `count` is their total. */
const MAX_LISTED = 10;
const DENIAL_CODES: readonly unknown[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'SERVICE_UNAVAILABLE'];

/** @param log receives one line at debug level per result with denials */
export function createDenialReport(log: Pick<Log, 'debug'>): ReportDenials {
  return ({ errors }, contextValue) => {
    if (errors === undefined) return;
    const denials = errors.flatMap((error) => findDenial(error) ?? []);
    if (denials.length === 0) return;
    const { principal } = (contextValue ?? {}) as Partial<BandhaContext>; // an application's context may be anything
    const caller = principal && { userId: principal.userId, sessionId: principal.sessionId };
    log.debug({ ...caller, denied: denials.slice(0, MAX_LISTED), count: denials.length }, 'access denied');
  };
}

/**
 * Logs the denials of operations that Yoga executes, those decided before execution included. It precedes the guard in the
 * list of plugins, so that its hooks receive the guard's results.
 */
export function useDenialLog(reportDenials: ReportDenials): Plugin {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone: (payload) =>
        handleStreamOrSingleExecutionResult(payload, ({ result }) =>
          reportDenials(result, args.contextValue),
        ),
    }),
    onSubscribe: ({ args }) => ({
      onSubscribeResult({ result }) {
        if ('errors' in result) reportDenials(result, args.contextValue);
        return { onNext: (payload) => reportDenials(payload.result, args.contextValue) };
      },
    }),
  };
}

/** Finds a denial as the guard creates it, or as it is sent. Only denials have a coordinate. */
function findDenial(error: GraphQLError): { coordinate: string; reason: string } | undefined {
  const authError = findAuthError(error);
  const { code, coordinate, reason } =
    authError === undefined
      ? error.extensions
      : { code: DENIAL_CODES[0], reason: authError.reason, coordinate: authError.details.coordinate };
  if (!DENIAL_CODES.includes(code) || typeof coordinate !== 'string') return undefined;
  return { coordinate, reason: String(reason) };
}
