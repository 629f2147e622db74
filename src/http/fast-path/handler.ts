// Handles the most common request, one operation as JSON with a single response, without WHATWG objects and without Yoga's
// pipeline of hooks. Passes every other request to the Yoga handler.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { Guard } from '../../authorization/guard.ts';
import type { AuthenticateMaybeAsync } from '../../tokens/authenticate.ts';
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
import { type FindTargetIssue, toOriginForm } from '../request-target.ts';
import { sendUnexpectedError } from '../yoga-handler.ts';
import type { CorsOptions } from '../yoga-internals.ts';
import { createFastPathContext } from './context.ts';
import { executeOperation } from './execute.ts';
import { type GraphQLParams, isFastPathRequest, parseBody } from './parse-request.ts';
import { createPreparedOperations, type EnvelopedFunctions, type PreparedOperation } from './prepare.ts';
import { createResponseSender, negotiateMediaType } from './send-response.ts';

export interface FastPathOptions {
  /** Path of the endpoint, such as `/graphql`. */
  endpoint: string;
  /** Maximum length of a body, in bytes. Longer bodies go to the Yoga handler. */
  maxBodyBytes: number;
  /** Undefined: requests with an `Origin` go to the Yoga handler. */
  cors: CorsOptions | undefined;
  findTargetIssue: FindTargetIssue;
  /** Handles every request that the fast path does not support. */
  yogaHandler: RequestListener;
  bodies: BodyLimits;
  longDocuments: LongDocumentQueue;
  /** Gives the parse and validate functions of the Yoga server, and its enforced schema. */
  getEnveloped(operationName?: string): EnvelopedFunctions;
  authenticate: AuthenticateMaybeAsync;
  guard: Guard;
  findExceededLimit: FindExceededLimit;
  reportDenials: ReportDenials;
  /** Converts AuthErrors from resolvers to errors for the client, and masks unexpected errors. */
  formatResult(result: ExecutionResult): ExecutionResult;
  /** Converts anything thrown outside of a resolver to masked errors. */
  toErrors(error: unknown): readonly GraphQLError[];
  /** Whether queries are compiled. */
  isCompiling: boolean;
  countResponse(status: number): void;
  /** Delays the server's shutdown until the promise settles, as in Yoga. */
  waitUntil(promise: Promise<unknown>): void;
  /** Called for each request whose body a middleware has read. */
  onBodyRead(): void;
  /** Receives an error that occurred while an error was sent. */
  onWriteError(error: unknown): void;
}

export function createFastPath(options: FastPathOptions): RequestListener {
  const { endpoint, maxBodyBytes, cors, yogaHandler, bodies, authenticate, guard, getEnveloped } = options;
  const { schema } = getEnveloped();
  const compileFor = options.isCompiling ? guard.protect(schema).original : undefined;
  const { findExceededLimit } = options;
  const operations = createPreparedOperations({ getEnveloped, guard, findExceededLimit, compileFor });
  const sendResult = createResponseSender(cors, options.countResponse);

  function execute(
    prepared: PreparedOperation,
    params: GraphQLParams,
    req: IncomingMessage,
    res: ServerResponse,
    body: Buffer,
  ): MaybePromise<ExecutionResult> {
    const { document, operation, operationName, decide } = prepared;
    return handleMaybePromise(authenticate(req.headers), (authentication) => {
      const createContext = () =>
        createFastPathContext(req, res, params, authentication, options.waitUntil, body);
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

  /** Calls `onBody` with the whole body, unless the client disconnects before its end or the body is rejected. */
  function readBody(req: IncomingMessage, res: ServerResponse, onBody: (body: Buffer) => void): void {
    const pending = bodies.start(req, res);
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => {
      if (bodies.receive(pending, chunk.length)) chunks.push(chunk);
      else chunks.length = 0;
    });
    req.on('end', () => {
      bodies.finish(pending);
      if (pending.isRejected) return;
      onBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)); // the length was checked
    });
  }

  return (req, res) => {
    readPeerAddress(req);
    toOriginForm(req);
    const mediaType = negotiateMediaType(req.headers.accept);
    const isEligible =
      isFastPathRequest(req, endpoint, maxBodyBytes) &&
      (cors !== undefined || req.headers.origin === undefined) &&
      options.findTargetIssue(req) === undefined;
    if (mediaType === undefined || !isEligible) return yogaHandler(req, res);
    if (req.readableDidRead) {
      options.onBodyRead();
      return yogaHandler(req, res);
    }
    const send = (result: ExecutionResult) => sendResult(result, mediaType, req, res);
    const sendError = (error: unknown) => {
      try {
        send({ errors: options.toErrors(error) });
      } catch (writeError) {
        options.onWriteError(writeError);
        sendUnexpectedError(res);
        options.countResponse(500);
      }
    };
    readBody(req, res, (body) => {
      const params = parseBody(body);
      if (params === undefined) return yogaHandler(restoreBody(req, body), res);
      const { query, operationName } = params;
      const run = () => {
        try {
          const prepared = operations.get(query, operationName);
          if (prepared === undefined) return yogaHandler(restoreBody(req, body), res);
          const sending = handleMaybePromise(execute(prepared, params, req, res, body), send);
          if (sending instanceof Promise) sending.catch(sendError);
        } catch (error) {
          sendError(error); // such as a result that JSON cannot represent
        }
      };
      const isLong = query.length > MAX_SHORT_DOCUMENT_LENGTH && !operations.has(query, operationName);
      if (!isLong) run();
      else if (!options.longDocuments(body.length, run)) sendError(queueFullError());
    });
  };
}

/** Adds the body to a request that has been read, in the form that Yoga accepts from body parsers. */
function restoreBody(req: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(req, { body: Readable.from([body]) });
}
