// Creates the listener that combines the fast path with the Yoga handler.
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
import { type AnyYoga, type CorsOptions, detectUnsupportedHooks } from '../yoga-internals.ts';
import { createErrorMask } from './error-mask.ts';
import { createFastPath } from './handler.ts';

/** Parts of a server that its listener and its plugins share. */
export interface ServerParts {
  plugins: readonly Plugin[];
  guard: Guard;
  findExceededLimit: FindExceededLimit;
  authenticate: AuthenticateMaybeAsync;
  reportDenials: ReportDenials;
  onDenied: 'reject' | 'null';
  maxBodyBytes: number;
  longDocuments: LongDocumentQueue;
  metrics: Metrics;
  log: Log;
  /** Default of the listener's option `bodyTimeoutSeconds`. */
  bodyTimeoutSeconds: number;
}

/** Options of {@link createListener}. */
export interface ListenerOptions extends BodyLimitOptions {
  /**
   * The option `cors` of your `createYoga`.
   * @default requests with an `Origin` header go to Yoga
   */
  cors?: CorsOptions;
  /**
   * Maximum length of a body on the fast path, in bytes. Longer bodies go to Yoga.
   * @default the `maxBodyBytes` of `createBandha`, which is also the maximum
   */
  maxBodyBytes?: number;
  /** Compiles simple queries to functions. @default true */
  compile?: boolean;
}

/**
 * Creates a listener for `http.createServer`. If the Yoga server has plugins or options with hooks that the fast path would
 * skip, the listener logs their names at info level and passes every request to Yoga.
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
    maxBodyBytes: serverMaxBodyBytes,
    longDocuments,
    metrics,
    log,
    bodyTimeoutSeconds,
  }: ServerParts,
  { cors, maxBodyBytes = serverMaxBodyBytes, compile = true, ...bodyLimits }: ListenerOptions = {},
): RequestListener {
  const bodies = createBodyLimits(
    { ...bodyLimits, bodyTimeoutSeconds: bodyLimits.bodyTimeoutSeconds ?? bodyTimeoutSeconds },
    (status) => {
      metrics.countResponse(status);
      log.debug({ status }, 'request rejected because its body did not arrive');
    },
  );
  const findTargetIssue = createTargetCheck();
  const handleWithYoga = createYogaHandler(yoga, findTargetIssue, log);
  const yogaHandler: RequestListener = (req, res) => {
    toOriginForm(req);
    bodies.watch(req, res);
    handleWithYoga(req, res);
  };
  const unsupportedHooks = detectUnsupportedHooks(yoga, plugins);
  if (unsupportedHooks.length > 0) {
    log.info({ hooks: unsupportedHooks }, 'fast path not used; the Yoga server has hooks that it would skip');
    return yogaHandler;
  }
  const mask = createErrorMask(yoga);
  return createFastPath({
    endpoint: yoga.graphqlEndpoint,
    maxBodyBytes: Math.min(maxBodyBytes, serverMaxBodyBytes),
    cors,
    findTargetIssue,
    yogaHandler,
    bodies,
    longDocuments,
    // Yoga's own plugins read `request` and `params`, and choose the text of their errors accordingly.
    getEnveloped: (operationName) =>
      yoga.getEnveloped({ request: { method: 'POST' }, params: { operationName }, [IS_PREPARATION]: true }),
    authenticate,
    guard,
    findExceededLimit,
    reportDenials,
    formatResult: (result) => mask.maskResult(formatResult(result, true, onDenied !== 'null')),
    toErrors: mask.toErrors,
    onBodyRead: createBodyReadWarning(log),
    isCompiling: compile,
    countResponse: metrics.countResponse,
    waitUntil: (promise) => yoga.waitUntil(promise.then(() => {})),
    onWriteError: (err) => log.error({ err }, 'request failed outside of its operation'),
  });
}

/** Warns once, because the order of middleware is the same for every request. */
function createBodyReadWarning(log: Log): () => void {
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
