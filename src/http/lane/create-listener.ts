// Two doors, one house: the lane for what nearly every request is, Yoga for everything else.
import type { RequestListener } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { answerResult } from '../../answers.ts';
import type { Guard } from '../../guard/create-guard.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { AuthenticateAtOnce } from '../../tokens/authenticate.ts';
import { type BodyLimitOptions, createBodyLimits } from '../body-limits.ts';
import type { FindExceededLimit } from '../operation-limits.ts';
import { IS_PREPARATION } from '../use-document-cache.ts';
import { createLane } from './create-lane.ts';
import { type AnyYoga, findForeignHooks } from './find-foreign-hooks.ts';
import type { Cors } from './write-answer.ts';

/** What both doors share. */
export interface House {
  plugins: readonly Plugin[];
  guard: Guard;
  findExceededLimit: FindExceededLimit;
  authenticate: AuthenticateAtOnce;
  onDenied: 'reject' | 'null';
  metrics: Metrics;
  log: Log;
  /** Default for its listeners. */
  bodyTimeoutSeconds: number;
}

export interface ListenerOptions extends BodyLimitOptions {
  /** What Yoga was given as `cors`. Absent: requests with an `Origin` go to Yoga, which knows. */
  cors?: Cors;
  /** Longer bodies go to Yoga, in bytes; no more than what it was given as `maxRequestBodySize`. Default 100,000. */
  maxBodyBytes?: number;
  /** Whether plain queries are compiled; default true. */
  compile?: boolean;
}

const MAX_BODY_BYTES = 100_000;

/**
 * A listener for `http.createServer`. Where the server has plugins or options whose hooks the lane would leave out, it
 * stays shut, and says so in the log: then every request goes through Yoga.
 */
export function createHouseListener(
  yoga: AnyYoga,
  { plugins, guard, findExceededLimit, authenticate, onDenied, metrics, log, bodyTimeoutSeconds }: House,
  { cors, maxBodyBytes = MAX_BODY_BYTES, compile = true, ...bodyLimits }: ListenerOptions = {},
): RequestListener {
  const bodies = createBodyLimits(
    { ...bodyLimits, bodyTimeoutSeconds: bodyLimits.bodyTimeoutSeconds ?? bodyTimeoutSeconds },
    (status) => {
      metrics.countResponse(status);
      log.debug({ status }, 'request rejected because its body did not arrive');
    },
  );
  const yogaHandler: RequestListener = (req, res) => {
    bodies.watch(req, res);
    return yoga(req, res);
  };
  const foreign = findForeignHooks(yoga, plugins);
  if (foreign.length > 0) {
    log.info({ hooks: foreign }, 'the fast lane is shut: the Yoga server has hooks that it would leave out');
    return yogaHandler;
  }
  const mask = maskOf(yoga);
  return createLane({
    endpoint: yoga.graphqlEndpoint,
    maxBodyBytes,
    cors,
    otherDoor: yogaHandler,
    bodies,
    // Yoga's own plugins look at these two, and word their errors accordingly.
    readerOf: (operationName) =>
      yoga.getEnveloped({ request: { method: 'POST' }, params: { operationName }, [IS_PREPARATION]: true }),
    authenticate,
    guard,
    findExceededLimit,
    answerResult: (result) => mask(answerResult(result, true, onDenied !== 'null')),
    compiles: compile,
    countResponse: metrics.countResponse,
    waitUntil: (promise) => yoga.waitUntil(promise.then(() => {})),
    onFault: (err) => log.error({ err }, 'an answer could not be written'),
  });
}

interface MaskedErrorsOptions {
  maskError(error: unknown, message: string, isDev?: boolean): Error;
  errorMessage: string;
  isDev?: boolean;
}

/** Yoga's own masking, which logs what it masks. */
function maskOf(yoga: AnyYoga): (result: ExecutionResult) => ExecutionResult {
  const { maskedErrorsOpts: options } = yoga as unknown as { maskedErrorsOpts: MaskedErrorsOptions | null }; // there, though not in the types
  return (result) =>
    result.errors === undefined || options === null
      ? result
      : {
          ...result,
          errors: result.errors.map(
            (error) => options.maskError(error, options.errorMessage, options.isDev) as typeof error, // of a GraphQLError it makes one
          ),
        };
}
