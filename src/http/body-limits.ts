// Limits request bodies that have not arrived completely: a deadline per body, and a number of bytes for all of them.
// Without the limits, connections that send a part of a body and then stall would exhaust memory.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigError } from '../errors.ts';
import { sendError } from './responses.ts';

export interface BodyLimitOptions {
  /** Maximum number of seconds from the head of a request to the end of its body; beyond it, 408. @default the value that `createBandha` has, 10 unless set */
  bodyTimeoutSeconds?: number;
  /** Maximum total bytes of all bodies that have not arrived completely; beyond it, 503. @default 32_000_000 */
  maxPendingBodyBytes?: number;
}

export interface BodyLimits {
  /**
   * Applies the limits to a body that other code reads.
   * @returns false if the request has no body, or its body has been read already
   */
  watch(req: IncomingMessage, res: ServerResponse): boolean;
  /** Begins to count a body that the caller reads: call `receive` for each chunk, then `finish`. */
  start(req: IncomingMessage, res: ServerResponse): PendingBody;
  /** @returns false if the request has been rejected; the caller must drop the chunk */
  receive(body: PendingBody, bytes: number): boolean;
  finish(body: PendingBody): void;
  /** Bytes received of all bodies that have not arrived completely. */
  readonly pendingBytes: number;
  /** Number of bodies that have not arrived completely. */
  readonly pendingBodies: number;
}

export interface PendingBody {
  req: IncomingMessage;
  res: ServerResponse;
  /** On the clock of `performance.now()`, in milliseconds. */
  deadline: number;
  /** Bytes received. */
  received: number;
  /** Bytes announced by `Content-Length`; NaN for a chunked body. */
  expected: number;
  isRejected: boolean;
}

interface Rejection {
  status: 408 | 503;
  code: string;
  message: string;
  headers: Readonly<Record<string, string>>;
}

const BODY_TIMEOUT_SECONDS = 10;
const MAX_PENDING_BODY_BYTES = 32_000_000;

const TIMED_OUT: Rejection = {
  status: 408,
  code: 'REQUEST_TIMEOUT',
  message: 'The request body did not arrive in time.',
  headers: {},
};
/** Rejects the request whose chunk exceeds the limit, so that the bodies received before it can finish. */
const TOO_MANY_BYTES: Rejection = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'Too many request bodies are being received. Try again later.',
  headers: { 'Retry-After': '1' },
};

/**
 * @param onReject receives the status of each rejected request
 * @throws {@link ConfigError} if a limit is not a number above 0
 */
export function createBodyLimits(
  {
    bodyTimeoutSeconds = BODY_TIMEOUT_SECONDS,
    maxPendingBodyBytes = MAX_PENDING_BODY_BYTES,
  }: BodyLimitOptions,
  onReject: (status: number) => void,
): BodyLimits {
  assertPositive({ bodyTimeoutSeconds, maxPendingBodyBytes });
  /** Ordered by deadline, because every body has the same time. */
  const pending = new Set<PendingBody>();
  let pendingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  /** Starts one timer for all bodies, due with the oldest. Most bodies arrive together with the head and never need one. */
  function armTimer(): void {
    const [oldest] = pending;
    if (timer !== undefined || oldest === undefined) return;
    timer = setTimeout(rejectTimedOut, Math.max(1, oldest.deadline - performance.now())).unref();
  }

  function rejectTimedOut(): void {
    timer = undefined;
    const now = performance.now();
    for (const body of pending) {
      if (body.deadline > now) break;
      reject(body, TIMED_OUT);
    }
    armTimer();
  }

  function reject(body: PendingBody, rejection: Rejection): void {
    finish(body);
    body.isRejected = true;
    const { req, res } = body;
    // A response such as 413 was sent before the body ended, so only the connection is left to close.
    if (res.headersSent || res.destroyed) {
      req.destroy();
      return;
    }
    res.shouldKeepAlive = false; // closes the connection after the response, because the body has not ended
    sendError(res, rejection);
    onReject(rejection.status);
  }

  function start(req: IncomingMessage, res: ServerResponse): PendingBody {
    const body: PendingBody = {
      req,
      res,
      deadline: performance.now() + bodyTimeoutSeconds * 1000,
      received: 0,
      expected: Number(req.headers['content-length'] ?? Number.NaN),
      isRejected: false,
    };
    pending.add(body);
    if (timer === undefined) armTimer();
    req.once('close', () => finish(body)); // the client may disconnect
    return body;
  }

  function receive(body: PendingBody, bytes: number): boolean {
    if (body.isRejected) return false;
    if (!pending.has(body)) return true;
    body.received += bytes;
    pendingBytes += bytes;
    // A body that this chunk completes is processed at once, so it never waits in memory.
    const isComplete = body.received >= body.expected || body.req.complete;
    if (pendingBytes > maxPendingBodyBytes && !isComplete) reject(body, TOO_MANY_BYTES);
    return !body.isRejected;
  }

  function finish(body: PendingBody): void {
    if (pending.delete(body)) pendingBytes -= body.received;
  }

  return {
    start,
    receive,
    finish,
    watch(req, res) {
      if (!hasPendingBody(req)) return false;
      const body = start(req, res);
      // Node's parser passes each chunk, and null at the end, to this method. A 'data' listener would take the chunks from the reader.
      const push = req.push;
      req.push = (chunk: Buffer | null, encoding) => {
        if (chunk === null) finish(body);
        else if (!receive(body, chunk.length)) return false;
        return push.call(req, chunk, encoding);
      };
      return true;
    },
    get pendingBytes() {
      return pendingBytes;
    },
    get pendingBodies() {
      return pending.size;
    },
  };
}

/** Below 2^31 ms, the longest delay of a timer. */
const MAX_SECONDS = 2_000_000;

function assertPositive(limits: Readonly<Record<string, number>>): void {
  const isInvalid = ([name, value]: [string, number]) =>
    !(value > 0) || (name === 'bodyTimeoutSeconds' && value > MAX_SECONDS);
  const invalid = Object.entries(limits).filter(isInvalid);
  if (invalid.length > 0) throw new ConfigError(invalid.map(([name]) => `${name}: must be a number above 0`));
}

function hasPendingBody({ headers, complete, readableEnded }: IncomingMessage): boolean {
  if (complete || readableEnded) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
