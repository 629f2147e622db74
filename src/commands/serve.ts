// bandha serve
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

/** How long requests under way may take once the process is asked to stop. */
const SHUTDOWN_TIMEOUT_MS = 10_000;

/** Time for the head of a request to arrive; idle connections between two requests do not count. */
const HEADERS_WITHIN_MS = 15_000;
/** Interval at which Node looks for requests whose head or body is late. */
const TIMEOUT_CHECK_MS = 5_000;

/** Runs until the process is asked to stop, then answers what is under way. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<void> {
  parseArguments(args, { count: 0, options: {} });
  const config = loadConfig(terminal.env);
  const log = await createLog(config, terminal);
  const bandha = await createBandha({ ...config, log });
  try {
    const server = createServer(serverTimeouts(config), bandha.listener);
    server.listen(config.port, config.host);
    await once(server, 'listening').catch((error) => {
      throw toListenError(error);
    });
    const url = addressOf(server, config.host);
    if (config.production) log.info({ url: `${url}/graphql` }, 'listening');
    else
      terminal.stdout.write(startupBanner(url, config, terminal.program, !(await bandha.store.hasUsers())));
    if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
    log.info('stopping');
    await closeServer(server);
  } finally {
    await bandha.close();
  }
}

/**
 * Proxies and balancers reuse idle connections for up to a minute, so the server closes them later than that. The head of a
 * request has a short time of its own; the body's is in the listener, and `requestTimeout` only bounds what Node itself reads.
 */
function serverTimeouts({ keepAliveSeconds, bodyTimeoutSeconds }: Config): ServerOptions {
  return {
    keepAliveTimeout: keepAliveSeconds * 1000,
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: HEADERS_WITHIN_MS + bodyTimeoutSeconds * 1000 + TIMEOUT_CHECK_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
}

async function createLog(config: Config, { stdout }: Terminal): Promise<Logger> {
  if (config.production) return pino({ level: config.logLevel }, stdout);
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({ destination: stdout, colorize: stdout.isTTY ?? false, ignore: 'pid,hostname' });
  return pino({ level: config.logLevel }, stream);
}

/** HOST and PORT are configuration, unless another program uses the port. */
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
        'PORT: must be one that this user may open; ports below 1024 usually need more rights',
      ]);
    default:
      return error;
  }
}

function addressOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const shown = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host) ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

function startupBanner(url: string, { graphiql, signup }: Config, program: string, isEmpty: boolean): string {
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
    lines.push('There is no account yet. Make the first one here:', '');
    lines.push(`  ${program} users add you@example.com --role admin`, '');
    if (signup === 'open' && graphiql) {
      lines.push('or open GraphiQL in a browser, and press Create account.', '');
    } else if (signup === 'open') {
      lines.push('or with a request:', '');
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
