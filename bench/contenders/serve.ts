// What every contender does beside its work: it says where it listens, and answers questions on standard input.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { JWK } from 'jose';
import { takeProfile } from './profile.ts';

/** What contenders are started with, as JSON in their first argument. */
export interface Settings {
  issuer: string;
  audience: string;
  /** Of Bandha's key: everybody verifies the same tokens. */
  publicJwk?: JWK;
  /** For HS256. */
  sharedSecret: string;
  /** Of Bandha's store. */
  databaseUrl: string;
  secret: string;
  accessTtlSeconds: number;
  /** Who may log in, all with one password. */
  accounts: { emails: readonly string[]; password: string };
}

export interface Usage {
  /** Begun so far. */
  requests: number;
  /** Of all threads. */
  cpuMicros: number;
  rssBytes: number;
}

/** A line on standard input. */
export interface Question {
  kind: string;
  count?: number;
  seconds?: number;
}

export function readSettings(): Settings {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** @param answers to questions beside `usage` */
export async function serve(
  server: Server,
  answers: Record<string, (question: Question) => unknown> = {},
): Promise<void> {
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
  const profile = ({ seconds = 1 }: Question) => takeProfile(seconds);
  await answerQuestions({ port }, { usage, profile, ...answers });
}

/** Says `first`, then answers what is asked until whoever asks is gone. */
export async function answerQuestions(
  first: object,
  answers: Record<string, (question: Question) => unknown>,
): Promise<void> {
  say(first);
  for await (const line of createInterface({ input: process.stdin })) {
    const question: Question = JSON.parse(line);
    say(await answers[question.kind]?.(question));
  }
  process.exit();
}

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify({ answer })}\n`);
}
