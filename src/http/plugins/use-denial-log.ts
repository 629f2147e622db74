// Logs each response in which fields were denied, at debug level: who the caller was, which fields, and why.
import { handleStreamOrSingleExecutionResult } from '@envelop/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { BandhaContext } from '../../context.ts';
import { findAuthError } from '../../errors.ts';
import type { Log } from '../../utils/log.ts';

/** Logs the denials of one result, if there are any. */
export type ReportDenials = (result: ExecutionResult, contextValue: unknown) => void;

/** Denied fields that a line has by name: an operation may have thousands. */
const MAX_LISTED = 10;
const DENIAL_CODES: readonly unknown[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'SERVICE_UNAVAILABLE'];

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

/** For what the Yoga handler executes, pre-execution denials included; goes before the guard. */
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

/** A denial as the guard makes it, or as it is sent: only denials name a coordinate. */
function findDenial(error: GraphQLError): { coordinate: string; reason: string } | undefined {
  const authError = findAuthError(error);
  const { code, coordinate, reason } =
    authError === undefined
      ? error.extensions
      : { code: DENIAL_CODES[0], reason: authError.reason, coordinate: authError.details.coordinate };
  if (!DENIAL_CODES.includes(code) || typeof coordinate !== 'string') return undefined;
  return { coordinate, reason: String(reason) };
}
