// The short way for what nearly every request is: one JSON operation, answered in one piece. From bytes to bytes, without
// WHATWG objects and without the pipeline of hooks; whatever is not certain goes to the other door, which is Yoga's.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { Decision, Guard } from '../../guard/create-guard.ts';
import type { Authenticate } from '../../tokens/authenticate.ts';
import { findVariableFaults } from '../use-clear-refusals.ts';
import {
  createPreparedOperations,
  type DocumentReader,
  type PreparedOperation,
} from './prepare-operation.ts';
import { type GraphQLParams, isForLane, parseOperation } from './read-operation.ts';
import { createRunner } from './run-operation.ts';
import { acceptedTypeOf, type Cors, createAnswerWriter } from './write-answer.ts';

export interface LaneOptions {
  /** The path, such as `/graphql`. */
  endpoint: string;
  maxBodyBytes: number;
  /** Absent: requests with an `Origin` are for the other door. */
  cors: Cors | undefined;
  /** Yoga's door. */
  otherDoor: RequestListener;
  /** Reads documents as the other door does, with the walled schema. */
  readerOf(operationName?: string): DocumentReader;
  authenticate: Authenticate;
  guard: Guard;
  /** Turns refusals that resolvers threw into errors of the answer; masks what nobody expected. */
  answerResult(result: ExecutionResult): ExecutionResult;
  /** Whether operations are compiled. */
  compiles: boolean;
  countResponse(status: number): void;
  /** Kept until the server closes, as Yoga does. */
  waitUntil(promise: Promise<unknown>): void;
  /** Told of what cannot even be answered as an error. */
  onFault(error: unknown): void;
}

export function createLane(options: LaneOptions): RequestListener {
  const { endpoint, maxBodyBytes, cors, otherDoor, authenticate, guard, readerOf } = options;
  const { schema } = readerOf();
  const prepare = createPreparedOperations(readerOf);
  const run = createRunner(options.compiles ? guard.protect(schema).plain : undefined);
  const write = createAnswerWriter(cors, options.countResponse);

  async function answer(
    prepared: PreparedOperation,
    params: GraphQLParams,
    req: IncomingMessage,
    res: ServerResponse,
    body: Buffer,
  ): Promise<ExecutionResult> {
    const { principal, problem } = await authenticate(req.headers);
    const { document, operationName } = prepared;
    const { waitUntil } = options;
    const contextValue = contextOf({ req, res, waitUntil, params, principal, tokenProblem: problem }, body);
    const args: ExecutionArgs = {
      schema,
      document,
      operationName,
      contextValue,
      variableValues: params.variables,
    };
    const faults = findVariableFaults(args);
    if (faults.length > 0) return { errors: faults };
    const deciding = guard.decide(args);
    const decision: Decision = deciding instanceof Promise ? await deciding : deciding;
    if ('answer' in decision) return decision.answer;
    return options.answerResult(await run(prepared, { ...args, schema: decision.schema }));
  }

  return (req, res) => {
    const accepted = acceptedTypeOf(req.headers.accept);
    const isHere =
      isForLane(req, endpoint, maxBodyBytes) && (cors !== undefined || req.headers.origin === undefined);
    if (accepted === undefined || !isHere) return otherDoor(req, res);
    collect(req, (body) => {
      const params = parseOperation(body);
      const prepared = params && prepare(params.query, params.operationName);
      if (params === undefined || prepared === undefined) return otherDoor(unread(req, body), res);
      answer(prepared, params, req, res, body)
        .then((result) => write(result, accepted, req, res))
        // What cannot be written out, as a value that JSON has no word for, is answered as any unexpected error.
        .catch((error) => write(options.answerResult({ errors: [error] }), accepted, req, res))
        .catch((error) => {
          options.onFault(error);
          res.destroy();
        });
    });
  };
}

/** Calls `done` with the whole body; never where the client goes away before. */
function collect(req: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))); // there is one
}

/** The request as Yoga takes it from those who have read the body already. */
function unread(req: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(req, { body: Readable.from([body]) });
}

/** What resolvers find; a WHATWG request is made only where one of them looks. */
function contextOf<C extends { req: IncomingMessage; res: ServerResponse }>(context: C, body: Buffer) {
  let request: Request | undefined;
  return {
    ...context,
    get request() {
      request ??= toRequest(context, body);
      return request;
    },
  };
}

/** Its signal is aborted when the client goes away before it is answered. */
function toRequest({ req, res }: { req: IncomingMessage; res: ServerResponse }, body: Buffer): Request {
  const { method = 'POST', url = '/', headers, socket } = req;
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  const list = Object.entries(headers).flatMap(([name, value = '']) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, one]),
  );
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return new Request(`${scheme}://${headers.host || 'localhost'}${url}`, {
    signal: gone.signal,
    method,
    headers: list,
    body: new Uint8Array(body),
  });
}
