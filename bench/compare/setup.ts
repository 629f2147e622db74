// What every part of the comparison is given, and what it hands back.
import type { Kind } from './contenders.ts';
import { findFastApi, NODE_KINDS } from './contenders.ts';
import type { Cores } from './cores.ts';
import type { Generator } from './generator.ts';
import type { SliceOptions } from './slices.ts';

export interface Setup extends SliceOptions {
  /** For a try: fewer rounds and cases. */
  short: boolean;
  generator: Generator;
  cores: Cores;
  /** For files that are gone afterwards. */
  folder: string;
}

export interface Goal {
  what: string;
  goal: string;
  figure: string;
  met: boolean;
}

export interface Result {
  /** Tables, and a sentence or two that need their figures. */
  markdown: string;
  goals?: readonly Goal[];
  /** SVG by file name. */
  plots?: Readonly<Record<string, string>>;
}

export type Part = (setup: Setup) => Promise<Result>;

/** Everybody, with FastAPI where it is installed. */
export function allKinds({ note }: Setup): Kind[] {
  const fastApi = findFastApi();
  if (fastApi === undefined) note('FastAPI is left out: no python3 here has fastapi and uvicorn');
  return fastApi === undefined ? [...NODE_KINDS] : [...NODE_KINDS, fastApi];
}
