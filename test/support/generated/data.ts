// The data of a generated schema: a value for every field of every object, always the same.
import { createHash } from 'node:crypto';
import type { GeneratedField, GeneratedSchema } from './schema.ts';

/** An object of the data. The values of its fields are derived from its type and path. */
export interface GeneratedObject {
  __typename: string;
  path: string;
}

export type GeneratedValue = GeneratedObject | number | string | null | GeneratedValue[];

/**
 * Computes the value of a field. Null and lists of up to two items occur if the type of the field allows them.
 *
 * @param path the path of the object that has the field
 */
export function valueAt(schema: GeneratedSchema, field: GeneratedField, path: string): GeneratedValue {
  const pick = (label: string, count: number) =>
    createHash('sha1').update(`${path}.${field.name} ${label}`).digest().readUInt16BE(0) % count;
  const createItem = (label: string): GeneratedValue => {
    const type = schema.types.get(field.returns);
    if (field.returns === 'Int') return pick(label, 100);
    if (field.returns === 'Code') return `code-${pick(label, 100)}`;
    if (field.returns === 'Shade') return pick(label, 2) === 0 ? 'DARK' : 'LIGHT';
    const objects = schema.objectsOf(type?.name ?? '');
    const name = objects[pick(label, objects.length)] ?? '';
    return { __typename: name, path: `${path}.${field.name}.${label}` };
  };
  const isNull = !field.wrap.endsWith('!') && pick('null', 8) === 0;
  if (isNull) return null;
  if (!field.wrap.startsWith('[')) return createItem('0');
  return Array.from({ length: pick('length', 3) }, (_, i) =>
    field.wrap === '[T]' && pick(`null ${i}`, 8) === 0 ? null : createItem(String(i)),
  );
}
