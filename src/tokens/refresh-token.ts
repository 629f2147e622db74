// Refresh tokens, `session.generation.mac`. A forged token is rejected without a query, and a stolen database yields no token.
import type { Secrets } from './secrets.ts';

export interface RefreshTokenParts {
  sessionId: string;
  /** Number of the session's refresh token, from 1. */
  generation: number;
}

const FORMAT = /^([0-9a-f-]{36})\.([1-9]\d{0,14})\.([\w-]{43})$/;

/** @returns the refresh token of a session's generation; the same parts give the same token */
export function createRefreshToken({ sessionId, generation }: RefreshTokenParts, secrets: Secrets): string {
  const message = `${sessionId}.${generation}`;
  return `${message}.${secrets.mac(message)}`;
}

/** @returns undefined if this server did not issue the token */
export function parseRefreshToken(token: string, secrets: Secrets): RefreshTokenParts | undefined {
  const [, sessionId, generation, mac] = FORMAT.exec(token) ?? [];
  if (sessionId === undefined || generation === undefined || mac === undefined) return undefined;
  if (!secrets.isMac(mac, `${sessionId}.${generation}`)) return undefined;
  return { sessionId, generation: Number(generation) };
}
