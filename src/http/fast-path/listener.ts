// Two doors, one house: the lane for what nearly every request is, Yoga for everything else.
import type { RequestListener } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import { formatResult } from '../../authorization/format-errors.ts';
import type { Guard } from '../../authorization/guard.ts';
import type { Metrics } from '../../operations/metrics.ts';
import type { AuthenticateMaybeAsync } from '../../tokens/authenticate.ts';
import type { Log } from '../../utils/log.ts';
import { type BodyLimitOptions, createBodyLimits } from '../body-limits.ts';
import type { LongDocumentQueue } from '../documents/long-documents.ts';
import type { FindExceededLimit } from '../limits/operation-limits.ts';
import type { ReportDenials } from '../plugins/use-denial-log.ts';
import { IS_PREPARATION } from '../plugins/use-document-cache.ts';
import { createTargetCheck, toOriginForm } from '../request-target.ts';
import { createYogaHandler } from '../yoga-handler.ts';
import { type AnyYoga, detectUnsupportedHooks } from '../yoga-internals.ts';
import { createErrorMask } from './error-mask.ts';
import { createFastPath } from './handler.ts';
import type { CorsOptions } from './send-response.ts';

/** What both doors share. */
export interface ServerParts {
  plugins: readonly Plugin[];
  guard: Guard;
  findExceededLimit: FindExceededLimit;
  authenticate: AuthenticateMaybeAsync;
  /** Logs denials. */
  reportDenials: ReportDenials;
  onDenied: 'reject' | 'null';
  maxBodyBytes: number;
  longDocuments: LongDocumentQueue;
  metrics: Metrics;
  log: Log;
  /** Default for its listeners. */
  bodyTimeoutSeconds: number;
}

/** Options of {@link createListener}. */
export interface ListenerOptions extends BodyLimitOptions {
  /** The same value as the Yoga server's `cors`, an object or a function. @default requests with an `Origin` are handled by Yoga */
  cors?: CorsOptions;
  /** Maximum body length on the fast path, in bytes; longer bodies are handled by Yoga. @default maxBodyBytes of createBandha */
  maxBodyBytes?: number;
  /** Whether queries are compiled. @default true */
  compile?: boolean;
}

/**
 * A listener for `http.createServer`. Where the server has plugins or options whose hooks the lane would leave out, it
 * stays shut, and says so in the log: then every request goes through Yoga.
 */
export function createFastPathListener(
  yoga: AnyYoga,
  {
    plugins,
    guard,
    findExceededLimit,
    authenticate,
    reportDenials,
    onDenied,
    maxBodyBytes: limit,
    longDocuments,
    metrics,
    log,
    bodyTimeoutSeconds,
  }: ServerParts,
  { cors, maxBodyBytes = limit, compile = true, ...bodyLimits }: ListenerOptions = {},
): RequestListener {
  const bodies = createBodyLimits(
    { ...bodyLimits, bodyTimeoutSeconds: bodyLimits.bodyTimeoutSeconds ?? bodyTimeoutSeconds },
    (status) => {
      metrics.countResponse(status);
      log.debug({ status }, 'request rejected because its body did not arrive');
    },
  );
  const findTargetIssue = createTargetCheck();
  const handleByYoga = createYogaHandler(yoga, findTargetIssue, log);
  const yogaHandler: RequestListener = (req, res) => {
    toOriginForm(req);
    bodies.watch(req, res);
    handleByYoga(req, res);
  };
  const unsupportedHooks = detectUnsupportedHooks(yoga, plugins);
  if (unsupportedHooks.length > 0) {
    log.info({ hooks: unsupportedHooks }, 'fast path not used; the Yoga server has hooks that it would skip');
    return yogaHandler;
  }
  const mask = createErrorMask(yoga);
  return createFastPath({
    endpoint: yoga.graphqlEndpoint,
    maxBodyBytes: Math.min(maxBodyBytes, limit),
    cors,
    findTargetIssue,
    yogaHandler,
    bodies,
    longDocuments,
    // Yoga's own plugins look at these two, and word their errors accordingly.
    getEnveloped: (operationName) =>
      yoga.getEnveloped({ request: { method: 'POST' }, params: { operationName }, [IS_PREPARATION]: true }),
    authenticate,
    guard,
    findExceededLimit,
    reportDenials,
    formatResult: (result) => mask.maskResult(formatResult(result, true, onDenied !== 'null')),
    toErrors: mask.toErrors,
    onBodyRead: warnOnce(log),
    compileFor: compile,
    countResponse: metrics.countResponse,
    waitUntil: (promise) => yoga.waitUntil(promise.then(() => {})),
    onWriteError: (err) => log.error({ err }, 'request failed outside of its operation'),
  });
}

/** Once, since it is a matter of the application and not of the request. */
function warnOnce(log: Log): () => void {
  let hasWarned = false;
  return () => {
    if (hasWarned) return;
    hasWarned = true;
    log.warn(
      { reason: 'a middleware, such as express.json(), reads the body first' },
      'fast path not used; mount the listener before the middleware',
    );
  };
}
