// Refresh tokens, `session.generation.mac`: garbage is told apart without the store, a stolen store yields none.
import type { Secrets } from './secrets.ts';

export interface RefreshTokenParts {
  sessionId: string;
  /** Counts the session's rotations, from 1. */
  generation: number;
}

const FORMAT = /^([0-9a-f-]{36})\.([1-9]\d{0,14})\.([\w-]{43})$/;

/** The refresh token of a session's generation; always the same for the same parts. */
export function createRefreshToken({ sessionId, generation }: RefreshTokenParts, secrets: Secrets): string {
  const message = `${sessionId}.${generation}`;
  return `${message}.${secrets.mac(message)}`;
}

/** @returns undefined where this server did not make the token */
export function parseRefreshToken(token: string, secrets: Secrets): RefreshTokenParts | undefined {
  const [, sessionId, generation, mac] = FORMAT.exec(token) ?? [];
  if (sessionId === undefined || generation === undefined || mac === undefined) return undefined;
  if (!secrets.isMac(mac, `${sessionId}.${generation}`)) return undefined;
  return { sessionId, generation: Number(generation) };
}
