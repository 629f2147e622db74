// Writes files of requests for the generator, and decides which of them a slice sends.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenIssuer } from '../support/token-issuer.ts';
import type { Contender } from './start-contender.ts';

/** The requests of a target's slices. */
export interface RequestSource {
  /** @param slice number of the slice; targets compared with each other have the same numbers */
  next(slice: number): Promise<{ file: string; first: number }>;
  onSent(count: number): void;
  /** Whether each request was sent once, so that the server has cached what it can. */
  isWarm(): boolean;
}

export const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { accessToken }
}`;

/** @returns the path of a file whose nth request has the nth header and body, each list repeated */
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

/** One sign-in per account. */
export function writeLogins(folder: string, { settings }: TokenIssuer): Promise<string> {
  const { emails, password } = settings.accounts;
  const bodies = emails.map((email) => ({ query: LOGIN, variables: { email, password } }));
  return writeRequests(folder, [''], bodies);
}

/** @returns headers of `count` signed-in callers */
export async function createHeaders(
  contender: Contender,
  issuer: TokenIssuer,
  count: number,
): Promise<string[]> {
  if (contender.credential === 'cookie') {
    const cookies = await contender.call<string[]>({ kind: 'cookies', count });
    return cookies.map((cookie) => `cookie: ${cookie}`);
  }
  return toHeaders(
    contender.credential === 'HS256' ? issuer.signHs256Tokens(count) : await issuer.signTokens(count),
  );
}

export function toHeaders(tokens: readonly string[]): string[] {
  return tokens.map((token) => `authorization: Bearer ${token}`);
}

/** Sends the requests of a file again and again; a slice begins where the last one ended. */
export function repeatRequests(file: string, count: number): RequestSource {
  let sent = 0;
  return {
    next: async () => ({ file, first: sent % count }),
    onSent(more) {
      sent += more;
    },
    isWarm: () => sent >= count,
  };
}

/** Sends each request once. @param write creates a file of new requests for each number of a slice */
export function createNewRequests(count: number, write: () => Promise<string>): RequestSource {
  let current: number | undefined;
  let file = '';
  return {
    async next(slice) {
      if (slice !== current) {
        if (file !== '') await rm(file);
        file = await write();
        current = slice;
      }
      return { file, first: 0 };
    },
    onSent(sent) {
      if (sent > count) throw new Error(`${sent} requests were sent, and only ${count} were new`);
    },
    isWarm: () => true,
  };
}
