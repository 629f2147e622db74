// Alternates between the items of a comparison, so that a change of the machine's speed affects all of them.

export interface RoundOptions {
  rounds: number;
  /** Rounds before the first one that counts; their numbers are negative. @default 0 */
  warmUpRounds?: number;
  note?(progress: string): void;
}

/** Yields every item once per round, in reverse in every other round: A B C, C B A, … */
export function* alternate<T>(
  items: readonly T[],
  { rounds, warmUpRounds = 0, note }: RoundOptions,
): Generator<[item: T, round: number]> {
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    note?.(round < 0 ? 'a round that does not count' : `round ${round + 1} of ${rounds}`);
    for (const item of round % 2 === 0 ? items : items.toReversed()) yield [item, round];
  }
}
