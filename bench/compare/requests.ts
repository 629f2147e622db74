// What is sent: files of requests, one a line, for the generator to send in turn.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Realm } from './realm.ts';
import type { Contender } from './start-contender.ts';

export const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { accessToken }
}`;

/** Where a slice finds its requests. */
export interface Supply {
  /** @param turn slices of one turn may have the same requests */
  take(turn: number): Promise<{ file: string; first: number; count: number }>;
  /** How many of them were sent. */
  used(sent: number): void;
  /** Whether the servers know what is sent as well as they ever will. */
  isWarm(): boolean;
}

export async function writeRequests(
  folder: string,
  headers: readonly string[],
  bodies: readonly object[],
): Promise<string> {
  const file = join(folder, `${crypto.randomUUID()}.requests`);
  const texts = bodies.map((body) => JSON.stringify(body));
  const count = Math.max(headers.length, texts.length);
  const lines = Array.from(
    { length: count },
    (_, i) => `${headers[i % headers.length]}\t${texts[i % texts.length]}\n`,
  );
  await writeFile(file, lines.join(''));
  return file;
}

/** The headers of as many callers who are signed in. */
export async function makeHeaders(contender: Contender, realm: Realm, count: number): Promise<string[]> {
  if (contender.credential === 'cookie') {
    const cookies = await contender.ask<string[]>({ kind: 'cookies', count });
    return cookies.map((cookie) => `cookie: ${cookie}`);
  }
  const tokens =
    contender.credential === 'HS256' ? realm.signHs256Tokens(count) : await realm.signTokens(count);
  return tokens.map((token) => `authorization: Bearer ${token}`);
}

/** The same requests over and over, each slice where the one before it ended. */
export function inRotation(file: string, count: number): Supply {
  let sentSoFar = 0;
  return {
    take: async () => ({ file, first: sentSoFar % count, count }),
    used(sent) {
      sentSoFar += sent;
    },
    isWarm: () => sentSoFar >= count,
  };
}

/** New requests in every turn. @param write makes a file with so many that were never sent */
export function neverSeen(count: number, write: (count: number) => Promise<string>): Supply {
  let current: number | undefined;
  let file = '';
  return {
    async take(turn) {
      if (turn !== current) {
        if (file !== '') await rm(file);
        file = await write(count);
        current = turn;
      }
      return { file, first: 0, count };
    },
    used(sent) {
      if (sent > count) throw new Error(`${sent} requests were sent, and only ${count} were new`);
    },
    isWarm: () => true,
  };
}
