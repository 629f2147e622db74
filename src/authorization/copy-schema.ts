// Copies a schema for other plugins, many of which replace the resolvers of the schema that they receive.
import { mapSchema } from '@graphql-tools/utils';
import {
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** Set in the extensions of a copy, so that schemas derived from it have the mark as well. */
const MARK = 'bandha:copied';

/** Whether the schema is a copy, or derived from one by another plugin. */
export function isCopied(schema: GraphQLSchema): boolean {
  return schema.extensions[MARK] === true;
}

/** Copies every type and field, with the symbols that plugins set on those that they have changed. */
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
