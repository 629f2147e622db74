// Serves the metrics on a separate port, so that only the monitoring system needs access to it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { ConfigError } from '../errors.ts';
import type { Log } from '../utils/log.ts';
import { RESPONSE_HEADERS } from './headers.ts';
import { METRICS_PATH } from './plugins/use-metrics.ts';
import { pathOf, toOriginForm } from './request-target.ts';
import { isReadMethod, METHOD_NOT_ALLOWED } from './responses.ts';

export interface MetricsServerOptions {
  registry: Registry;
  host: string;
  port: number;
  log: Log;
}

/**
 * Starts the server.
 *
 * @returns a function that closes the server and its connections
 * @throws {@link ConfigError} if the port is in use, or the host is not an address of this machine
 */
export async function openMetricsServer(options: MetricsServerOptions): Promise<() => Promise<void>> {
  const { registry, host, port, log } = options;

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    toOriginForm(req); // Prometheus sends the absolute form through a proxy
    if (pathOf(req.url ?? '') !== METRICS_PATH) res.writeHead(404, RESPONSE_HEADERS).end();
    else if (!isReadMethod(req.method)) {
      res.writeHead(METHOD_NOT_ALLOWED.status, { ...METHOD_NOT_ALLOWED.headers, ...RESPONSE_HEADERS }).end();
    } else {
      const text = await registry.metrics();
      res.writeHead(200, { 'Content-Type': registry.contentType, ...RESPONSE_HEADERS }).end(text);
    }
  }

  const server = createServer((req, res) => {
    respond(req, res).catch((err: unknown) => {
      log.error({ err }, 'metrics not collected; the scrape fails with 500');
      if (!res.headersSent) res.writeHead(500, RESPONSE_HEADERS);
      res.end();
    });
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ConfigError([
      `BANDHA_METRICS (metrics): must be a free port; ${describeListenError(error, host, port)}`,
    ]);
  }
  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}

function describeListenError(error: unknown, host: string, port: number): string {
  const { code } = error as NodeJS.ErrnoException; // servers emit errors of this type
  return code === 'EADDRINUSE'
    ? `port ${port} on ${host} is in use`
    : `port ${port} on ${host} is not available (${code})`;
}
