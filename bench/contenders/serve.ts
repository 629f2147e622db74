// The part that all contenders have in common: settings in an argument, and commands on standard input.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { JWK } from 'jose';

/** Settings of a contender, as JSON in its first argument. */
export interface Settings {
  issuer: string;
  audience: string;
  /** Bandha's key: all contenders verify the same tokens. */
  publicJwk?: JWK;
  /** For HS256. */
  sharedSecret: string;
  /** For Bandha's store. */
  databaseUrl: string;
  secret: string;
  accessTtlSeconds: number;
  /** Accounts that can sign in, all with one password. */
  accounts: { emails: readonly string[]; password: string };
}

export interface Usage {
  /** Requests begun so far. */
  requests: number;
  /** CPU time of all threads. */
  cpuMicros: number;
  rssBytes: number;
}

/** A line on standard input. */
export interface Command {
  kind: string;
  count?: number;
  file?: string;
}

export type Handlers = Record<string, (command: Command) => unknown>;

export function readSettings(): Settings {
  return JSON.parse(process.argv[2] ?? '{}');
}

/**
 * Listens, prints the port, and handles commands until standard input ends.
 *
 * @param handlers of commands other than `usage`
 */
export async function serve(server: Server, handlers: Handlers = {}): Promise<void> {
  let requests = 0;
  server.on('request', () => {
    requests += 1;
  });
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const usage = (): Usage => {
    const { user, system } = process.cpuUsage();
    return { requests, cpuMicros: user + system, rssBytes: process.memoryUsage.rss() };
  };
  const all: Handlers = { usage, ...handlers };
  print({ port });
  for await (const line of createInterface({ input: process.stdin })) {
    const command: Command = JSON.parse(line);
    print(await all[command.kind]?.(command));
  }
  process.exit();
}

function print(result: unknown): void {
  process.stdout.write(`${JSON.stringify({ result })}\n`);
}
