// Measures the first request of a document: parsing, validation, and the operation plan.
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { alternate } from '../support/rounds.ts';
import { createContenders } from './contenders.ts';
import { timeSlice } from './interleave.ts';
import { writeQuery } from './queries.ts';
import { ALL_DENIED, ALLOWED, parseAndValidate, type Scene } from './scenes.ts';

/** Microseconds per document, one value per round. */
export interface FirstRequests {
  parsing: number[];
  /** First request of an allowed caller minus the second. */
  planning: number[];
  /** The same if every field is denied, which includes writing the errors. */
  denying: number[];
}

/** Fields planned in each slice, about; the number of documents depends on their size. */
const FIELDS_PER_SLICE = 4_000;
const MAX_DOCUMENTS_PER_SLICE = 400;
const WARM_UP_ROUNDS = 10;

/** @returns one entry per size; all sizes are measured in the same rounds */
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
    denying: [],
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

  for (const [result, round] of alternate(results, { rounds, warmUpRounds: WARM_UP_ROUNDS })) {
    const allowed = await measure(ALLOWED, result.size);
    const denied = await measure(ALL_DENIED, result.size);
    if (round < 0) continue;
    result.parsing.push(allowed.parsing);
    result.planning.push(allowed.planning);
    result.denying.push(denied.planning);
  }
  return results;
}
