// Which servers are compared, and under which load.
import { forge, makeTokens, shuffle } from './make-tokens.ts';
import type { Place, Places, Size } from './places.ts';

export interface Contender {
  place: Place;
  /** Of its store's sessions, for the load. */
  tokens: readonly string[];
  /** What it is shown before: as many for all, so that all have done the same work. */
  shown: readonly string[];
  /** How many of those it shall accept, and so remember. */
  accepts: number;
}

export type ContenderName = 'empty' | 'again' | 'cached' | 'full';
export type Contenders = Record<ContenderName, Contender>;

export interface Row {
  title: string;
  contender: ContenderName;
  /** Whether the load takes all of its tokens in turn, or sends one. */
  takesAll: boolean;
}

export type RowName = keyof typeof ROWS;

/** The first is what the others are compared with. */
export const ROWS = {
  reference: { title: 'empty store, one token', contender: 'empty', takesAll: false },
  control: { title: 'the same in another process', contender: 'again', takesAll: false },
  fullOne: { title: 'full store, one token', contender: 'full', takesAll: false },
  likeForLike: { title: 'empty store, all cached tokens in turn', contender: 'cached', takesAll: true },
  goal: { title: 'full store, all cached tokens in turn', contender: 'full', takesAll: true },
} as const satisfies Record<string, Row>;

export async function createContenders(places: Places, { revoked, tokens }: Size): Promise<Contenders> {
  const createCold = async (place: Place): Promise<Contender> => {
    const own = await makeTokens(place, revoked, 1);
    return { place, tokens: own, shown: forge(own[0] ?? '', tokens), accepts: 0 };
  };
  const createWarm = async (place: Place): Promise<Contender> => {
    const own = shuffle(await makeTokens(place, revoked, tokens));
    return { place, tokens: own, shown: own.toSorted(), accepts: own.length };
  };
  return {
    empty: await createCold(await places.empty()),
    again: await createCold(await places.empty()),
    // No session is looked up in the store, so these need not be there.
    cached: await createWarm(await places.empty()),
    full: await createWarm(await places.full()),
  };
}
