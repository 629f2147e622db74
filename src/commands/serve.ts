// The command `bandha serve`.
import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import { createBandha } from '../bandha.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/env.ts';
import { ConfigError } from '../errors.ts';
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';

/** Time for pending requests to finish after a signal to stop. */
const SHUTDOWN_TIMEOUT_MS = 10_000;

/** Time for the headers of a request to arrive; idle time between requests does not count. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Interval at which Node checks for late headers and bodies. */
const TIMEOUT_CHECK_MS = 5_000;

/** Runs until a signal to stop, then finishes pending requests. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const config = loadConfig(terminal.env);
  const log = await createLog(config, terminal);
  const bandha = await createBandha({ ...config, log });
  try {
    const server = createServer(toServerOptions(config), bandha.listener);
    server.listen(config.port, config.host);
    await once(server, 'listening').catch((error) => {
      throw toListenError(error);
    });
    const url = formatUrl(server, config.host);
    if (config.production) log.info({ url: `${url}/graphql` }, 'listening');
    else {
      const isEmpty = !(await bandha.store.hasUsers());
      terminal.stdout.write(formatStartupBanner(url, config, terminal.program, isEmpty));
    }
    if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
    log.info('stopping');
    await closeServer(server);
  } finally {
    await bandha.close();
  }
}

/**
 * Idle connections stay open longer than proxies and load balancers reuse them, which is up to a minute; otherwise a proxy may
 * send a request on a connection that is being closed. The listener has its own timeout for bodies; `requestTimeout` is longer and
 * bounds only what Node itself reads.
 */
function toServerOptions({ keepAliveSeconds, bodyTimeoutSeconds }: Config): ServerOptions {
  return {
    keepAliveTimeout: keepAliveSeconds * 1000,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: HEADERS_TIMEOUT_MS + bodyTimeoutSeconds * 1000 + TIMEOUT_CHECK_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
}

async function createLog(config: Config, { stdout }: Terminal): Promise<Logger> {
  if (config.production) return pino({ level: config.logLevel }, stdout);
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({ destination: stdout, colorize: stdout.isTTY ?? false, ignore: 'pid,hostname' });
  return pino({ level: config.logLevel }, stream);
}

/** @returns a ConfigError if HOST or PORT is unusable; a port in use is not a mistake in the configuration */
function toListenError(error: NodeJS.ErrnoException): unknown {
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConfigError(['HOST: must be an address of this machine; the name cannot be resolved']);
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return new ConfigError(['HOST: must be an address of this machine']);
    case 'EACCES':
      return new ConfigError([
        'PORT: must be a port that this user may open; ports below 1024 usually require privileges',
      ]);
    default:
      return error;
  }
}

function formatUrl(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo; // the server listens on TCP
  const shown = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host) ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

function formatStartupBanner(
  url: string,
  { graphiql, signup }: Config,
  program: string,
  isEmpty: boolean,
): string {
  const lines = [
    '',
    'Bandha is ready.',
    '',
    graphiql ? `  GraphiQL  ${url}/graphql` : `  GraphQL   ${url}/graphql`,
    `  Keys      ${url}/.well-known/jwks.json`,
    `  Health    ${url}/health/ready`,
    '',
  ];
  if (isEmpty) {
    lines.push('There are no users yet. Create the first one:', '');
    lines.push(`  ${program} users add you@example.com --role admin`, '');
    if (signup === 'open' && graphiql) {
      lines.push('or open GraphiQL in a browser and press Create account.', '');
    } else if (signup === 'open') {
      lines.push('or send this operation:', '');
      lines.push('  mutation { register(email: "you@example.com", password: "…") { accessToken } }', '');
    }
  }
  return `${lines.join('\n')}\n`;
}

async function closeServer(server: Server): Promise<void> {
  const forceCloseTimer = setTimeout(() => server.closeAllConnections(), SHUTDOWN_TIMEOUT_MS);
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  clearTimeout(forceCloseTimer);
}
