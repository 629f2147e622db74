// Limits for request bodies that have not arrived completely: a deadline for each, and a number of bytes for all together.
// Without them, connections that send a part of a body and then nothing would fill the memory.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigError } from '../errors.ts';
import { RESPONSE_HEADERS } from './headers.ts';

export interface BodyLimitOptions {
  /** Seconds from the head of a request to the end of its body. @default 10 */
  bodyTimeoutSeconds?: number;
  /** Bytes of all bodies that have not arrived completely. @default 32,000,000 */
  maxPendingBodyBytes?: number;
}

export interface BodyLimits {
  /**
   * Watches the body of a request that someone else reads.
   * @returns false if the request has no body, or its body has been read
   */
  watch(req: IncomingMessage, res: ServerResponse): boolean;
  /** For a caller that reads the body itself: `receive` for each chunk, then `finish`. */
  start(req: IncomingMessage, res: ServerResponse): PendingBody;
  /** @returns false if the request has been rejected; then the chunk must be dropped */
  receive(body: PendingBody, bytes: number): boolean;
  finish(body: PendingBody): void;
  /** Bytes of all bodies that have not arrived completely. */
  readonly pendingBytes: number;
  /** Number of bodies that have not arrived completely. */
  readonly pendingBodies: number;
}

export interface PendingBody {
  req: IncomingMessage;
  res: ServerResponse;
  /** By `performance.now()`. */
  deadline: number;
  received: number;
  /** By `Content-Length`; NaN for a chunked body. */
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

const LATE: Rejection = {
  status: 408,
  code: 'REQUEST_TIMEOUT',
  message: 'The request body did not arrive in time.',
  headers: {},
};
/** The rejected request is the one that is over the limit: the newest in the order of bytes. */
const TOO_MANY_BYTES: Rejection = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'Too many request bodies are being received. Try again later.',
  headers: { 'Retry-After': '1' },
};

/**
 * @param onReject called with the status of each request that is rejected
 * @throws ConfigError if a limit is not a number above 0
 */
export function createBodyLimits(
  {
    bodyTimeoutSeconds = BODY_TIMEOUT_SECONDS,
    maxPendingBodyBytes = MAX_PENDING_BODY_BYTES,
  }: BodyLimitOptions,
  onReject: (status: number) => void,
): BodyLimits {
  assertPositive({ bodyTimeoutSeconds, maxPendingBodyBytes });
  /** In the order of their deadlines. */
  const pending = new Set<PendingBody>();
  let pendingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  /** One timer for all, due with the oldest: most bodies arrive with their heads and need none. */
  function armTimer(): void {
    const [oldest] = pending;
    if (timer !== undefined || oldest === undefined) return;
    timer = setTimeout(rejectLate, Math.max(1, oldest.deadline - performance.now())).unref();
  }

  function rejectLate(): void {
    timer = undefined;
    const now = performance.now();
    for (const body of pending) {
      if (body.deadline > now) break;
      reject(body, LATE);
    }
    armTimer();
  }

  function reject(body: PendingBody, { status, code, message, headers }: Rejection): void {
    finish(body);
    body.isRejected = true;
    const { req, res } = body;
    // An early response, such as 413, is there already; the connection is all that is left to close.
    if (res.headersSent || res.destroyed) {
      req.destroy();
      return;
    }
    const text = JSON.stringify({ errors: [{ message, extensions: { code } }] });
    res.shouldKeepAlive = false; // closes the connection with the response, although the body has not ended
    res.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
      ...headers,
      ...RESPONSE_HEADERS,
    });
    res.end(text);
    onReject(status);
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
    req.once('close', () => finish(body)); // the client may go away
    return body;
  }

  function receive(body: PendingBody, bytes: number): boolean {
    if (body.isRejected) return false;
    if (!pending.has(body)) return true;
    body.received += bytes;
    pendingBytes += bytes;
    // A body that is complete with this chunk is answered at once and holds nothing.
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
      // Node's parser hands each chunk, and null at the end, to this method; a listener would take the chunks from the reader.
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

/** A timer runs at most 2^31 ms. */
const MAX_SECONDS = 2_000_000;

function assertPositive(limits: Readonly<Record<string, number>>): void {
  const isWrong = ([name, value]: [string, number]) =>
    !(value > 0) || (name === 'bodyTimeoutSeconds' && value > MAX_SECONDS);
  const wrong = Object.entries(limits).filter(isWrong);
  if (wrong.length > 0) throw new ConfigError(wrong.map(([name]) => `${name}: must be a number above 0`));
}

function hasPendingBody({ headers, complete, readableEnded }: IncomingMessage): boolean {
  if (complete || readableEnded) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
