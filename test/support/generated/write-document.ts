// Writes valid documents for a schema: aliases, duplicates, fragments and conditions, on own fields and on introspection.
import {
  doTypesOverlap,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
} from 'graphql';

export interface DocumentShape {
  /** How often one selection is written, one of these; beyond the first as aliases or duplicates. */
  times: readonly number[];
  maxDepth: number;
  fragments: number;
  /** In characters, for the operation and for each fragment. */
  maxLength: number;
}

/** @param pick gives a number from 0 to below its argument */
export function writeDocument(
  schema: GraphQLSchema,
  { times, maxDepth, fragments, maxLength }: DocumentShape,
  pick: (below: number) => number,
): string {
  const composites = Object.values(schema.getTypeMap()).filter(isCompositeType);
  const conditions = Array.from({ length: fragments }, () => oneOf(composites));
  const used = new Set<number>();
  let aliases = 0;
  let left = 0;

  function oneOf<T>(items: readonly T[]): T {
    return items[pick(items.length)] as T; // there is one
  }

  function fieldsOf(type: GraphQLCompositeType): readonly GraphQLField<unknown, unknown>[] {
    const own = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    return type === schema.getQueryType() ? [...own, SchemaMetaFieldDef, TypeMetaFieldDef] : own;
  }

  function write(type: GraphQLCompositeType, depth: number, from: number): string {
    const selections = Array.from({ length: 1 + pick(3) }, () => writeSelection(type, depth, from));
    return selections.join(' ');
  }

  function writeSelection(type: GraphQLCompositeType, depth: number, from: number): string {
    const condition = oneOf([
      '',
      '',
      '',
      ' @include(if: $yes)',
      ' @skip(if: $no)',
      ' @skip(if: true)',
      ' @include(if: true)',
    ]);
    const kind = depth > 0 && left > 0 ? pick(6) : 0;
    if (kind === 4) {
      const inner = oneOf(composites.filter((one) => doTypesOverlap(schema, one, type)));
      const isNamed = pick(3) > 0;
      const within = write(isNamed ? inner : type, depth - 1, from);
      return `...${isNamed ? ` on ${inner.name}` : ''}${condition} { ${within} }`;
    }
    if (kind === 5) {
      const fitting = conditions.flatMap((one, i) =>
        i >= from && doTypesOverlap(schema, one, type) ? [i] : [],
      );
      if (fitting.length > 0) {
        const index = oneOf(fitting);
        used.add(index);
        return Array.from({ length: oneOf(times) }, () => `...F${index}${condition}`).join(' ');
      }
    }
    const fields = fieldsOf(type).filter((field) => kind > 0 || !isCompositeType(getNamedType(field.type)));
    if (fields.length === 0) return `__typename${condition}`;
    return writeField(oneOf(fields), condition, depth, from);
  }

  function writeField(
    field: GraphQLField<unknown, unknown>,
    condition: string,
    depth: number,
    from: number,
  ): string {
    const returned = getNamedType(field.type);
    const given = field.args.filter(
      ({ type, defaultValue }) => String(type).endsWith('!') && defaultValue === undefined,
    );
    const values = given.map(({ name, type }) => `${name}: ${argumentOf(String(type))}`);
    const call = `${field.name}${values.length > 0 ? `(${values.join(', ')})` : ''}${condition}`;
    const inner = isCompositeType(returned) ? ` { ${write(returned, depth - 1, from)} }` : '';
    const isAliased = pick(3) > 0;
    const copies = Array.from({ length: oneOf(times) }, () => {
      aliases += 1;
      left -= call.length + inner.length;
      return `${isAliased ? `x${aliases}: ` : `y${field.name}${inner.length}: `}${call}${inner}`;
    });
    return copies.slice(0, left > 0 ? copies.length : 1).join(' ');
  }

  function argumentOf(type: string): string {
    if (type === 'String!') return oneOf(['$name', '"Query"', '"Nowhere"']);
    return type === 'ID!' ? '"x"' : '1';
  }

  function writeWithin(type: GraphQLCompositeType, from: number): string {
    left = maxLength;
    return write(type, maxDepth, from);
  }

  const isMutation = pick(6) === 0 && schema.getMutationType();
  const root = (isMutation ? schema.getMutationType() : schema.getQueryType()) as GraphQLCompositeType; // there is one
  const operation = writeWithin(root, 0);
  const texts: string[] = [];
  for (const [index, condition] of conditions.entries()) {
    if (used.has(index))
      texts.push(`fragment F${index} on ${condition.name} { ${writeWithin(condition, index + 1)} }`);
  }
  const variables = ['$name: String = "User"', '$yes: Boolean = true', '$no: Boolean = false'];
  const text = [operation, ...texts].join(' ');
  const declared = variables.filter((one) => text.includes(one.slice(0, one.indexOf(':'))));
  return [
    `${isMutation ? 'mutation' : 'query'} Q${declared.length > 0 ? `(${declared.join(', ')})` : ''} { ${operation} }`,
    ...texts,
  ].join('\n');
}
