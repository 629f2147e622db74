// Texts of the editors without what may be a secret: names and structure are kept, values and comments are not.
import { Kind, parse, print, visit } from 'graphql';

/** Numbers up to this many digits, such as `first: 100`. Longer ones may be a PIN or a one-time code. */
const MAX_DIGITS = 3;
/** As enum values are written by convention. Any other bare word may be a password without its quotes. */
const ENUM_VALUE = /^[A-Z][A-Z_]*$/;

const isShort = (digits: string) => digits.replaceAll(/\D/g, '').length <= MAX_DIGITS;

/**
 * An operation with empty strings, with 0 in place of long numbers, and without comments.
 * @returns '' if the text is not GraphQL, as nothing is known of what it holds
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
    // Without values and comments, the text can be kept as it is laid out.
    return print(cleared) === print(document) && !/[#"]/.test(text) ? text : `${print(cleared)}\n`;
  } catch {
    return '';
  }
}

/**
 * Variables with empty strings and with 0 in place of long numbers, also in lists and objects.
 * @returns '' if the text is not JSON
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
