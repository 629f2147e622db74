// The short way for what nearly every request is: one JSON operation, answered in one piece. From bytes to bytes, without
// WHATWG objects and without the pipeline of hooks; whatever is not certain goes to the other door, which is Yoga's.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { Guard } from '../../authorization/guard.ts';
import type { AuthenticateMaybeAsync, Authentication } from '../../tokens/authenticate.ts';
import { handleMaybePromise, type MaybePromise } from '../../utils/maybe-promise.ts';
import type { BodyLimits } from '../body-limits.ts';
import {
  type LongDocumentQueue,
  MAX_SHORT_DOCUMENT_LENGTH,
  queueFullError,
} from '../documents/long-documents.ts';
import type { FindExceededLimit } from '../limits/operation-limits.ts';
import { readPeerAddress } from '../plugins/use-client-address.ts';
import type { ReportDenials } from '../plugins/use-denial-log.ts';
import { findVariableErrors } from '../plugins/use-input-errors.ts';
import { type FindTargetIssue, type NodeRequest, toOriginForm } from '../request-target.ts';
import { writeUnexpectedError } from '../yoga-handler.ts';
import { executeOperation } from './execute.ts';
import { type GraphQLParams, isFastPathRequest, parseBody } from './parse-request.ts';
import { createPreparedOperations, type EnvelopedFunctions, type PreparedOperation } from './prepare.ts';
import { type CorsOptions, createResponseSender, negotiateMediaType } from './send-response.ts';

export interface FastPathOptions {
  /** The path, such as `/graphql`. */
  endpoint: string;
  maxBodyBytes: number;
  /** Absent: requests with an `Origin` are for the other door. */
  cors: CorsOptions | undefined;
  findTargetIssue: FindTargetIssue;
  /** Yoga's door. */
  yogaHandler: RequestListener;
  bodies: BodyLimits;
  longDocuments: LongDocumentQueue;
  /** Reads documents as the other door does, with the walled schema. */
  getEnveloped(operationName?: string): EnvelopedFunctions;
  authenticate: AuthenticateMaybeAsync;
  guard: Guard;
  findExceededLimit: FindExceededLimit;
  /** Logs denials. */
  reportDenials: ReportDenials;
  /** Turns refusals that resolvers threw into errors of the answer; masks what nobody expected. */
  formatResult(result: ExecutionResult): ExecutionResult;
  /** The masked errors for whatever was thrown outside of a resolver. */
  toErrors(error: unknown): readonly GraphQLError[];
  /** Whether queries are compiled. */
  compileFor: boolean;
  countResponse(status: number): void;
  /** Kept until the server closes, as Yoga does. */
  waitUntil(promise: Promise<unknown>): void;
  /** Called for a request whose body a middleware has read. */
  onBodyRead(): void;
  /** Told of what cannot even be answered as an error. */
  onWriteError(error: unknown): void;
}

export function createFastPath(options: FastPathOptions): RequestListener {
  const { endpoint, maxBodyBytes, cors, yogaHandler, bodies, authenticate, guard, getEnveloped } = options;
  const { schema } = getEnveloped();
  const compileFor = options.compileFor ? guard.protect(schema).original : undefined;
  const { findExceededLimit } = options;
  const prepare = createPreparedOperations({ getEnveloped, guard, findExceededLimit, compileFor });
  const send = createResponseSender(cors, options.countResponse);

  function execute(
    prepared: PreparedOperation,
    params: GraphQLParams,
    req: IncomingMessage,
    res: ServerResponse,
    body: Buffer,
  ): MaybePromise<ExecutionResult> {
    const { document, operation, operationName, decide } = prepared;
    return handleMaybePromise(authenticate(req.headers), (authentication) => {
      const createContext = () => toContext(req, res, params, authentication, options.waitUntil, body);
      const args: ExecutionArgs = {
        schema,
        document,
        operationName,
        contextValue: createContext(),
        variableValues: params.variables,
      };
      const errors = operation.variableDefinitions?.length ? findVariableErrors(args) : [];
      if (errors.length > 0) return { errors };
      return handleMaybePromise(decide(args), (decision) => {
        if ('result' in decision) {
          options.reportDenials(decision.result, args.contextValue);
          return decision.result;
        }
        args.schema = decision.schema;
        return handleMaybePromise(executeOperation(prepared, args, createContext), (result) => {
          options.reportDenials(result, args.contextValue);
          return options.formatResult(result);
        });
      });
    });
  }

  /** Calls `done` with the whole body; not if the client goes away before, or the body is rejected. */
  function readBody(req: IncomingMessage, res: ServerResponse, done: (body: Buffer) => void): void {
    const pending = bodies.start(req, res);
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => {
      if (bodies.receive(pending, chunk.length)) chunks.push(chunk);
      else chunks.length = 0;
    });
    req.on('end', () => {
      bodies.finish(pending);
      if (pending.isRejected) return;
      done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)); // there is one
    });
  }

  return (req, res) => {
    readPeerAddress(req);
    toOriginForm(req);
    const accepted = negotiateMediaType(req.headers.accept);
    const isEligible =
      isFastPathRequest(req, endpoint, maxBodyBytes) &&
      (cors !== undefined || req.headers.origin === undefined) &&
      options.findTargetIssue(req) === undefined;
    if (accepted === undefined || !isEligible) return yogaHandler(req, res);
    if (req.readableDidRead) {
      options.onBodyRead();
      return yogaHandler(req, res);
    }
    const respond = (result: ExecutionResult) => send(result, accepted, req, res);
    const sendUnexpectedError = (error: unknown) => {
      try {
        respond({ errors: options.toErrors(error) });
      } catch (error) {
        options.onWriteError(error);
        writeUnexpectedError(res);
        options.countResponse(500);
      }
    };
    readBody(req, res, (body) => {
      const params = parseBody(body);
      if (params === undefined) return yogaHandler(restoreBody(req, body), res);
      const { query, operationName } = params;
      const run = () => {
        try {
          const prepared = prepare(query, operationName);
          if (prepared === undefined) return yogaHandler(restoreBody(req, body), res);
          const responding = handleMaybePromise(execute(prepared, params, req, res, body), respond);
          if (responding instanceof Promise) responding.catch(sendUnexpectedError);
        } catch (error) {
          sendUnexpectedError(error); // a result that JSON cannot express is answered as any unexpected error
        }
      };
      const isLong = query.length > MAX_SHORT_DOCUMENT_LENGTH && !prepare.isPrepared(query, operationName);
      if (!isLong) run();
      else if (!options.longDocuments(body.length, run)) sendUnexpectedError(queueFullError());
    });
  };
}

/** The request as Yoga takes it from those who have read the body already. */
function restoreBody(req: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(req, { body: Readable.from([body]) });
}

/** What resolvers find; a WHATWG request is made only where one of them looks. */
function toContext(
  req: IncomingMessage,
  res: ServerResponse,
  params: GraphQLParams,
  { principal, problem }: Authentication,
  waitUntil: FastPathOptions['waitUntil'],
  body: Buffer,
): FastPathContext {
  const context = { req, res, waitUntil, params, principal, tokenProblem: problem, [BODY]: body };
  return Object.defineProperty(context, 'request', REQUEST);
}

interface FastPathContext {
  req: IncomingMessage;
  res: ServerResponse;
  [BODY]: Buffer;
}

const BODY = Symbol('body');

/** One getter for all contexts, of their own so that copies have it: a literal's would be made for each of them. */
const REQUEST: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get(this: FastPathContext) {
    const request = toRequest(this.req, this.res, this[BODY]);
    Object.defineProperty(this, 'request', { value: request, writable: true });
    return request;
  },
  set(this: FastPathContext, value: unknown) {
    Object.defineProperty(this, 'request', { value, writable: true });
  },
};

/** Its signal is aborted when the client goes away before it is answered. */
function toRequest(req: IncomingMessage, res: ServerResponse, body: Buffer): Request {
  const { method = 'POST', originalUrl, url = '/', headers, socket } = req as NodeRequest & IncomingMessage; // Express's has more
  const abortController = new AbortController();
  const abortIfUnfinished = () => {
    if (!res.writableFinished) abortController.abort();
  };
  if (res.closed) abortIfUnfinished();
  else res.once('close', abortIfUnfinished);
  const list = Object.entries(headers).flatMap(([name, value = '']) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, one]),
  );
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return new Request(`${scheme}://${headers.host || 'localhost'}${originalUrl ?? url}`, {
    signal: abortController.signal,
    method,
    headers: list,
    body: new Uint8Array(body),
  });
}
