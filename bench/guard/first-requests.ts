// What a document costs that was not seen before: to parse and validate it, and to plan it.
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { createContenders } from './contenders.ts';
import { timeSlice } from './interleave.ts';
import { writeQuery } from './queries.ts';
import { ALL_REFUSED, ALLOWED, parseAndValidate, type Scene } from './scenes.ts';

/** Microseconds a document, round by round. */
export interface FirstRequests {
  parsing: number[];
  /** What the first request of an allowed caller costs more than the second. */
  planning: number[];
  /** The same where every field is refused, so that the refusals are written out too. */
  refusing: number[];
}

/** About as many fields are planned in each slice, in as many documents as that takes. */
const FIELDS_PER_SLICE = 4_000;
const MAX_DOCUMENTS_PER_SLICE = 400;
/** Not counted. */
const WARM_UP_ROUNDS = 10;

/** @returns one entry a size; all sizes are measured in the same rounds */
export async function measureFirstRequests(
  schema: GraphQLSchema,
  sizes: readonly number[],
  rounds: number,
): Promise<FirstRequests[]> {
  const { guard } = createContenders(schema, { onDenied: 'reject', executes: false });
  const results = sizes.map((size): FirstRequests & { size: number } => ({
    size,
    parsing: [],
    planning: [],
    refusing: [],
  }));

  const measure = async ({ isClosed, caller }: Scene, size: number) => {
    const text = writeQuery(size, isClosed(size));
    const count = Math.min(MAX_DOCUMENTS_PER_SLICE, Math.ceil(FIELDS_PER_SLICE / size));
    const documents: DocumentNode[] = [];
    const parsing = await timeSlice(() => documents.push(parseAndValidate(schema, text)), count);
    const requestEach = () => {
      for (const document of documents) guard(document, caller, {});
    };
    const first = await timeSlice(requestEach, 1);
    return { parsing, planning: (first - (await timeSlice(requestEach, 1))) / count };
  };

  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const result of round % 2 === 0 ? results : results.toReversed()) {
      const allowed = await measure(ALLOWED, result.size);
      const refused = await measure(ALL_REFUSED, result.size);
      if (round < 0) continue;
      result.parsing.push(allowed.parsing);
      result.planning.push(allowed.planning);
      result.refusing.push(refused.planning);
    }
  }
  return results;
}
