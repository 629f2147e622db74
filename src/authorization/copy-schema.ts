// A copy of a schema that plugins may change: many put hooks into the resolvers of the schema that they see.
import { mapSchema } from '@graphql-tools/utils';
import {
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** In the extensions of a copy, so that whatever is derived of it has the mark too. */
const MARK = 'bandha:copied';

/** Whether the schema is a copy, or derived of one by another plugin. */
export function isCopied(schema: GraphQLSchema): boolean {
  return schema.extensions[MARK] === true;
}

/** Copies every type and field, and the symbols by which plugins mark those that they have changed. */
export function copySchema(schema: GraphQLSchema): GraphQLSchema {
  const copy = mapSchema(schema, {});
  copySymbols(schema, copy);
  for (const type of Object.values(schema.getTypeMap())) {
    const copied = copy.getType(type.name);
    if (copied === undefined || copied === type) continue;
    copySymbols(type, copied);
    if (!hasFields(type) || !hasFields(copied)) continue;
    const fields = copied.getFields();
    for (const field of Object.values(type.getFields())) copySymbols(field, fields[field.name]);
  }
  copy.extensions = { ...copy.extensions, [MARK]: true };
  return copy;
}

function copySymbols(from: object, to: object | undefined): void {
  for (const key of Object.getOwnPropertySymbols(from)) {
    if (to !== undefined && !(key in to)) Reflect.set(to, key, Reflect.get(from, key));
  }
}

function hasFields(type: unknown): type is GraphQLObjectType | GraphQLInterfaceType {
  return isObjectType(type) || isInterfaceType(type);
}
