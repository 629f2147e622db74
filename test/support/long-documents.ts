// Documents as long as the limits allow, each different.

const TOKENS = 10_000;
/** The fast path leaves longer texts to the Yoga handler. */
const FAST_PATH_CHARACTERS = 20_000;

/** Selects fields that do not exist, under names of their own: the longest lists of tokens and validation errors. */
export function invalidDocument(index: number): string {
  return `{${fill((i) => `n${index.toString(36)}_${i.toString(36)} `, TOKENS - 10, Number.POSITIVE_INFINITY)}}`;
}

/** Selects `viewer { id }` under ever-new aliases. */
export function validDocument(index: number): string {
  const fields = fill((i) => `a${i.toString(36)}:id `, TOKENS / 3 - 10, Number.POSITIVE_INFINITY);
  return `{v${index}:viewer{${fields}}}`;
}

/** The same, short enough for the fast path. */
export const invalidShortDocument = (index: number): string =>
  `{v${index} ${fill(() => 'x ', TOKENS - 10, FAST_PATH_CHARACTERS - 100)}}`;

export const validShortDocument = (index: number): string =>
  `{v${index}:viewer{${fill((i) => `a${i.toString(36)}:id `, TOKENS / 3 - 10, FAST_PATH_CHARACTERS - 100)}}}`;

function fill(part: (index: number) => string, count: number, maxLength: number): string {
  let text = '';
  for (let i = 0; i < count && text.length < maxLength; i += 1) text += part(i);
  return text;
}
