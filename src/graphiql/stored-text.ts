// Removes possible secrets from editor texts before they are stored: keeps names and structure, removes values and comments.
import { Kind, parse, print, visit } from 'graphql';

/** Numbers up to this many digits, such as `first: 100`. Longer ones may be a PIN or a one-time code. */
const MAX_DIGITS = 3;
/** Enum values by convention. Any other bare word may be a password without its quotes. */
const ENUM_VALUE = /^[A-Z][A-Z_]*$/;

const isShort = (digits: string) => digits.replaceAll(/\D/g, '').length <= MAX_DIGITS;

/**
 * Empties strings, replaces long numbers by 0 and removes comments in an operation.
 * @returns '' if the text is not valid GraphQL, because any part of it may be a secret
 */
export function clearOperation(text: string): string {
  try {
    const document = parse(text, { noLocation: true });
    const cleared = visit(document, {
      StringValue: (node) => ({ ...node, value: '', block: false }),
      IntValue: (node) => (isShort(node.value) ? undefined : { ...node, value: '0' }),
      FloatValue: (node) => (isShort(node.value) ? undefined : { ...node, value: '0.0' }),
      EnumValue: (node) => (ENUM_VALUE.test(node.value) ? undefined : { kind: Kind.NULL }),
    });
    // If there was nothing to remove, keeps the user's layout.
    return print(cleared) === print(document) && !/[#"]/.test(text) ? text : `${print(cleared)}\n`;
  } catch {
    return '';
  }
}

/**
 * Empties strings and replaces long numbers by 0 in variables, including lists and objects.
 * @returns '' if the text is not valid JSON
 */
export function clearVariables(text: string): string {
  try {
    return JSON.stringify(
      JSON.parse(text, (_, value) => clearValue(value)),
      null,
      2,
    );
  } catch {
    return '';
  }
}

function clearValue(value: unknown): unknown {
  if (typeof value === 'string') return '';
  if (typeof value === 'number') return isShort(String(value)) ? value : 0;
  return value;
}
