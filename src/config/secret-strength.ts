// Estimates how hard the configured secret is to guess. An attacker who guesses it offline can issue tokens.
import { dictionary } from '@zxcvbn-ts/language-common';

/** `guessable` secrets are rejected; `weak` ones cause a warning. */
export type SecretStrength = 'guessable' | 'weak' | 'strong';

/** With fewer bits, one machine can try every such secret within years. */
const GUESSABLE_BITS = 60;
const WEAK_BITS = 100;
const MIN_DISTINCT_CHARACTERS = 8;
const WORD_BITS = 13;
const SEQUENCE_BITS = 8;
const REPEATED_BITS = 1;
const MIN_WORD_LENGTH = 3;
const MAX_WORD_LENGTH = 16;
const MIN_SEQUENCE_LENGTH = 3;
const KEYBOARD = ['qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm', '1234567890'];
const ROWS = KEYBOARD.flatMap((row) => [row, [...row].reverse().join('')]);
const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '@': 'a',
  $: 's',
};

/** Placeholders of templates and documentation, which attackers can read too. */
const PLACEHOLDER =
  /(change|replace)[\W_]*(me|this|it)|do[\W_]*not[\W_]*use|your[\W_].{0,20}(secret|key)|insert[\W_]*(your|a|here)|(secret|key)[\W_]*goes[\W_]*here|placeholder/;

const WORDS: ReadonlySet<string> = new Set([
  ...dictionary['passwords-common'],
  ...dictionary['diceware-common'],
]);

/** Estimates an upper bound for the guesses that words, sequences and repetitions take. The secret is neither stored nor logged. */
export function measureSecret(secret: string): SecretStrength {
  const text = secret.toLowerCase();
  if (new Set(text).size < MIN_DISTINCT_CHARACTERS || isRepeated(text)) return 'guessable';
  if (PLACEHOLDER.test(text)) return 'guessable';
  const bits = Math.min(estimateBits(text), ...[0, 1].map((first) => estimateInterleaved(text, first)));
  if (bits < GUESSABLE_BITS) return 'guessable';
  return bits < WEAK_BITS ? 'weak' : 'strong';
}

/** @returns whether the text repeats one pattern; the last repetition may be incomplete */
function isRepeated(text: string): boolean {
  for (let period = 1; period <= (text.length + 1) / 2; period += 1) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

function estimateBits(text: string): number {
  const withoutLeet = [...text].map((character) => LEET[character] ?? character).join('');
  const seen = new Set<string>();
  let bits = 0;
  for (let at = 0; at < text.length; ) {
    const sequence = sequenceLength(text, at);
    const word = wordLength(text, withoutLeet, at);
    const length = Math.max(sequence, word, 1);
    const part = text.slice(at, at + length);
    if (seen.has(part)) bits += REPEATED_BITS;
    else if (length > 1) bits += word >= sequence ? WORD_BITS : SEQUENCE_BITS;
    else bits += characterBits(part);
    if (length > 1 || /[\W_]/.test(part)) seen.add(part);
    at += length;
  }
  return bits;
}

/**
 * Estimates two interleaved texts, such as `a1b2c3d4`.
 *
 * @param from 1 to count the first character separately
 */
function estimateInterleaved(text: string, from: number): number {
  const every = (first: number) =>
    [...text].filter((_, at) => at >= from && (at - from) % 2 === first).join('');
  return estimateBits(text.slice(0, from)) + estimateBits(every(0)) + estimateBits(every(1));
}

function characterBits(character: string): number {
  if (/[a-z]/.test(character)) return Math.log2(26);
  return /\d/.test(character) ? Math.log2(10) : Math.log2(32);
}

/** @returns the length of the sequence that begins at `from`: equal or neighboring characters, or neighboring keys */
function sequenceLength(text: string, from: number): number {
  const step = text.charCodeAt(from + 1) - text.charCodeAt(from);
  let to = from + 1;
  if (Math.abs(step) <= 1) {
    while (to < text.length && text.charCodeAt(to) - text.charCodeAt(to - 1) === step) to += 1;
  }
  let length = to - from;
  while (from + length < text.length && isInRow(text.slice(from, from + length + 1))) length += 1;
  return length >= MIN_SEQUENCE_LENGTH ? length : 0;
}

function isInRow(part: string): boolean {
  return ROWS.some((row) => row.includes(part));
}

function wordLength(text: string, withoutLeet: string, from: number): number {
  for (let length = Math.min(MAX_WORD_LENGTH, text.length - from); length >= MIN_WORD_LENGTH; length -= 1) {
    if (WORDS.has(text.slice(from, from + length)) || WORDS.has(withoutLeet.slice(from, from + length)))
      return length;
  }
  return 0;
}
