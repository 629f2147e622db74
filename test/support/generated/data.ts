// The data of a made-up schema: what every field gives, by the place it stands at, the same each time.
import { createHash } from 'node:crypto';
import type { MadeField, MadeSchema } from './schema.ts';

/** An object of the data: its type, and the place that its own fields' values follow from. */
export interface MadeObject {
  __typename: string;
  place: string;
}

export type MadeValue = MadeObject | number | string | null | MadeValue[];

/** What a field of an object gives; null and short lists come up where the type has room for them. */
export function valueAt(schema: MadeSchema, field: MadeField, place: string): MadeValue {
  const chance = (what: string, outOf: number) =>
    createHash('sha1').update(`${place}.${field.name} ${what}`).digest().readUInt16BE(0) % outOf;
  const one = (what: string): MadeValue => {
    const type = schema.types.get(field.returns);
    if (field.returns === 'Int') return chance(what, 100);
    if (field.returns === 'Code') return `code-${chance(what, 100)}`;
    if (field.returns === 'Shade') return chance(what, 2) === 0 ? 'DARK' : 'LIGHT';
    const objects = schema.objectsOf(type?.name ?? '');
    const name = objects[chance(what, objects.length)] ?? '';
    return { __typename: name, place: `${place}.${field.name}.${what}` };
  };
  const isNull = !field.wrap.endsWith('!') && chance('null', 8) === 0;
  if (isNull) return null;
  if (!field.wrap.startsWith('[')) return one('0');
  return Array.from({ length: chance('length', 3) }, (_, i) =>
    field.wrap === '[T]' && chance(`null ${i}`, 8) === 0 ? null : one(String(i)),
  );
}
