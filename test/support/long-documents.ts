// Creates documents of the maximum length, each of them different.

const TOKENS = 10_000;
/** Maximum length of a text on the fast path. */
const FAST_PATH_CHARACTERS = 20_000;

/** Selects distinct fields that do not exist, for the longest lists of tokens and validation errors. */
export function invalidDocument(index: number): string {
  return `{${fill((i) => `n${index.toString(36)}_${i.toString(36)} `, TOKENS - 10, Number.POSITIVE_INFINITY)}}`;
}

/** Selects `viewer { id }` with new aliases each time. */
export function validDocument(index: number): string {
  const fields = fill((i) => `a${i.toString(36)}:id `, TOKENS / 3 - 10, Number.POSITIVE_INFINITY);
  return `{v${index}:viewer{${fields}}}`;
}

/** An invalid document that is short enough for the fast path. */
export const invalidShortDocument = (index: number): string =>
  `{v${index} ${fill(() => 'x ', TOKENS - 10, FAST_PATH_CHARACTERS - 100)}}`;

export const validShortDocument = (index: number): string =>
  `{v${index}:viewer{${fill((i) => `a${i.toString(36)}:id `, TOKENS / 3 - 10, FAST_PATH_CHARACTERS - 100)}}}`;

function fill(part: (index: number) => string, count: number, maxLength: number): string {
  let text = '';
  for (let i = 0; i < count && text.length < maxLength; i += 1) text += part(i);
  return text;
}
