// Yoga as a listener that answers whatever happens: nothing is left to an error page or an unhandled rejection.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import type { Log } from '../utils/log.ts';
import { RESPONSE_HEADERS } from './headers.ts';
import type { FindTargetIssue } from './request-target.ts';
import type { AnyYoga } from './yoga-internals.ts';

/**
 * Wraps a Yoga server. Yoga by itself answers an error outside of an operation with its stack: from a URL that cannot be
 * parsed, a `maskError` that throws, a plugin that fails.
 */
export function createYogaHandler(yoga: AnyYoga, findIssue: FindTargetIssue, log: Log): RequestListener {
  function handle(req: IncomingMessage, res: ServerResponse) {
    const context = { req, res, waitUntil: yoga.waitUntil };
    if (findIssue(req) === undefined) return yoga.handleNodeRequestAndResponse(req, res, context);
    // Bandha's plugins reject it by what `req` has; the URL stands in for one that may not be parsable.
    const headers = {
      accept: req.headers.accept ?? '',
      ...(req.headers.origin && { origin: req.headers.origin }),
    };
    return yoga.handleRequest(new yoga.fetchAPI.Request(PLACEHOLDER, { method: 'GET', headers }), context);
  }

  // Without `await`: in development Yoga sends stacks, and the fast path's are held to be the same.
  return (req, res) => {
    if (hasConsumedBody(req)) {
      sendError(res, 400, 'BAD_REQUEST', 'The request body is empty, or was read before it got here.');
      return;
    }
    Promise.resolve()
      .then(() => handle(req, res))
      .then((response) => sendNodeResponse(response, res, req, true))
      .catch((err: unknown) => {
        log.error({ err }, 'request failed outside of its operation');
        writeUnexpectedError(res);
      });
  };
}

const PLACEHOLDER = 'http://localhost/invalid';

/** Answers 500 as Yoga does for an error that it masks; closes the connection if part of a response was sent. */
export function writeUnexpectedError(res: ServerResponse): void {
  if (res.writableEnded) return; // someone else has answered
  if (res.headersSent || res.destroyed) res.destroy();
  else sendError(res, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.');
}

function sendError(res: ServerResponse, status: number, code: string, message: string): void {
  const text = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const headers = { 'content-type': 'application/json; charset=utf-8', ...RESPONSE_HEADERS };
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

/** Whether a middleware has read the body and left nothing of it: Yoga would wait for a stream that has ended. */
function hasConsumedBody(req: IncomingMessage & { body?: unknown }): boolean {
  if (!req.readableDidRead || req.method === 'GET' || req.method === 'HEAD') return false;
  const { body } = req;
  return body == null || body === '' || (typeof body === 'object' && Object.keys(body).length === 0);
}
