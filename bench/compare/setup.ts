// The interface of the parts of the comparison.
import { join } from 'node:path';
import type { Goal } from '../support/report.ts';
import { createTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import type { Cores } from './cores.ts';
import type { SliceOptions } from './slices.ts';

export interface Setup extends SliceOptions {
  /** Fewer rounds and cases, to try a change. */
  short: boolean;
  cores: Cores;
  /** For files; deleted at the end. */
  folder: string;
}

export interface Result {
  /** Tables, and sentences with their figures. */
  markdown: string;
  goals?: readonly Goal[];
}

export type Part = (setup: Setup) => Promise<Result>;

/** Creates an SQLite store of its own for the part. */
export function createIssuer({ folder }: Setup, accountCount = 0): Promise<TokenIssuer> {
  return createTokenIssuer(`sqlite:${join(folder, `${crypto.randomUUID()}.db`)}`, accountCount);
}
