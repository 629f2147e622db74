// Wraps a Yoga server as a listener that responds to every request, whatever fails.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import type { Log } from '../utils/log.ts';
import type { FindTargetIssue } from './request-target.ts';
import { isReadMethod, sendError } from './responses.ts';
import type { AnyYoga } from './yoga-internals.ts';

const PLACEHOLDER_URL = 'http://localhost/invalid';

/**
 * Creates the listener. If an error occurs outside of an operation (a URL that cannot be parsed, a `maskError` that throws, a
 * plugin that fails), Yoga alone would send the stack to the client; this listener sends 500 with a masked error.
 */
export function createYogaHandler(
  yoga: AnyYoga,
  findTargetIssue: FindTargetIssue,
  log: Log,
): RequestListener {
  function handle(req: IncomingMessage, res: ServerResponse) {
    const context = { req, res, waitUntil: yoga.waitUntil };
    if (findTargetIssue(req) === undefined) return yoga.handleNodeRequestAndResponse(req, res, context);
    // `useRequestTarget` reads `req` and rejects the request. Its URL may not be parsable, so a placeholder replaces it.
    const headers = {
      accept: req.headers.accept ?? '',
      ...(req.headers.origin && { origin: req.headers.origin }),
    };
    return yoga.handleRequest(
      new yoga.fetchAPI.Request(PLACEHOLDER_URL, { method: 'GET', headers }),
      context,
    );
  }

  // A chain of `then` instead of `await`: in development Yoga sends stacks, and the parity tests compare them with the fast path's.
  return (req, res) => {
    if (hasConsumedBody(req)) {
      sendError(res, {
        status: 400,
        code: 'BAD_REQUEST',
        message: 'The request body is empty, or was read before it got here.',
      });
      return;
    }
    Promise.resolve()
      .then(() => handle(req, res))
      .then((response) => sendNodeResponse(response, res, req, true))
      .catch((err: unknown) => {
        log.error({ err }, 'request failed outside of its operation');
        sendUnexpectedError(res);
      });
  };
}

/** Sends 500 with Yoga's masked error, or closes the connection if a part of the response was sent. */
export function sendUnexpectedError(res: ServerResponse): void {
  if (res.writableEnded) return; // other code has responded
  if (res.headersSent || res.destroyed) res.destroy();
  else sendError(res, { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Unexpected error.' });
}

/** Whether a middleware has read the body without keeping it. Yoga would wait forever for a stream that has ended. */
function hasConsumedBody(req: IncomingMessage & { body?: unknown }): boolean {
  if (!req.readableDidRead || isReadMethod(req.method)) return false;
  const { body } = req;
  return body == null || body === '' || (typeof body === 'object' && Object.keys(body).length === 0);
}
