// Writes the arguments of a field as canonical text, so that comparing strings finds equal arguments.
import { type FieldNode, Kind, type ValueNode } from 'graphql';

// Kept per node, because the comparison reads the arguments of a field once for each group that the field is in.
const keys = new WeakMap<FieldNode, string>();

/** The key of a field's arguments. Two fields have the same arguments, in any order, if their keys are equal. */
export function argumentsKey(node: FieldNode): string {
  const { arguments: args } = node;
  if (args === undefined || args.length === 0) return '';
  const cached = keys.get(node);
  if (cached !== undefined) return cached;
  const key = args
    .map(({ name, value }) => `${name.value}:${valueKey(value)}`)
    .sort()
    .join();
  keys.set(node, key);
  return key;
}

function valueKey(value: ValueNode): string {
  switch (value.kind) {
    case Kind.VARIABLE:
      return `$${value.name.value}`;
    case Kind.LIST:
      return `[${value.values.map(valueKey).join()}]`;
    case Kind.OBJECT:
      return `{${value.fields
        .map((field) => `${field.name.value}:${valueKey(field.value)}`)
        .sort()
        .join()}}`;
    case Kind.STRING:
      return `${value.block ? 'block' : ''}${JSON.stringify(value.value)}`;
    case Kind.NULL:
      return 'null';
    default:
      return `${value.kind} ${value.value}`;
  }
}
