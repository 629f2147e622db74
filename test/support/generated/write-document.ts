// Writes valid documents for any schema: aliases, duplicates, fragments and conditions, on its fields and on introspection.
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

/** The size of a document. */
export interface DocumentShape {
  /** Numbers of times that a selection may be written, as aliases or duplicates. */
  times: readonly number[];
  /** Maximum nesting of selection sets. */
  maxDepth: number;
  fragments: number;
  /** Maximum length of the operation, and of each fragment, in characters. */
  maxLength: number;
}

/** @param pick returns a number from 0 to less than its argument */
export function writeDocument(
  schema: GraphQLSchema,
  { times, maxDepth, fragments, maxLength }: DocumentShape,
  pick: (below: number) => number,
): string {
  const composites = Object.values(schema.getTypeMap()).filter(isCompositeType);
  const fragmentTypes = Array.from({ length: fragments }, () => oneOf(composites));
  const used = new Set<number>();
  let aliases = 0;
  let charactersLeft = 0;

  function oneOf<T>(items: readonly T[]): T {
    return items[pick(items.length)] as T; // cast: `items` is not empty
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
    const kind = depth > 0 && charactersLeft > 0 ? pick(6) : 0;
    if (kind === 4) {
      const inner = oneOf(composites.filter((one) => doTypesOverlap(schema, one, type)));
      const hasTypeCondition = pick(3) > 0;
      const selections = write(hasTypeCondition ? inner : type, depth - 1, from);
      return `...${hasTypeCondition ? ` on ${inner.name}` : ''}${condition} { ${selections} }`;
    }
    if (kind === 5) {
      const applicable = fragmentTypes.flatMap((one, i) =>
        i >= from && doTypesOverlap(schema, one, type) ? [i] : [],
      );
      if (applicable.length > 0) {
        const index = oneOf(applicable);
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
    const required = field.args.filter(
      ({ type, defaultValue }) => String(type).endsWith('!') && defaultValue === undefined,
    );
    const values = required.map(({ name, type }) => `${name}: ${argumentOf(String(type))}`);
    const call = `${field.name}${values.length > 0 ? `(${values.join(', ')})` : ''}${condition}`;
    const inner = isCompositeType(returned) ? ` { ${write(returned, depth - 1, from)} }` : '';
    const isAliased = pick(3) > 0;
    const copies = Array.from({ length: oneOf(times) }, () => {
      aliases += 1;
      charactersLeft -= call.length + inner.length;
      return `${isAliased ? `x${aliases}: ` : `y${field.name}${inner.length}: `}${call}${inner}`;
    });
    return copies.slice(0, charactersLeft > 0 ? copies.length : 1).join(' ');
  }

  function argumentOf(type: string): string {
    if (type === 'String!') return oneOf(['$name', '"Query"', '"Nowhere"']);
    return type === 'ID!' ? '"x"' : '1';
  }

  function writeSelections(type: GraphQLCompositeType, from: number): string {
    charactersLeft = maxLength;
    return write(type, maxDepth, from);
  }

  // Cast: every schema here has a query type.
  const isMutation = pick(6) === 0 && schema.getMutationType();
  const root = (isMutation ? schema.getMutationType() : schema.getQueryType()) as GraphQLCompositeType;
  const operation = writeSelections(root, 0);
  const texts: string[] = [];
  for (const [index, type] of fragmentTypes.entries()) {
    if (used.has(index))
      texts.push(`fragment F${index} on ${type.name} { ${writeSelections(type, index + 1)} }`);
  }
  const variables = ['$name: String = "User"', '$yes: Boolean = true', '$no: Boolean = false'];
  const text = [operation, ...texts].join(' ');
  const declared = variables.filter((one) => text.includes(one.slice(0, one.indexOf(':'))));
  return [
    `${isMutation ? 'mutation' : 'query'} Q${declared.length > 0 ? `(${declared.join(', ')})` : ''} { ${operation} }`,
    ...texts,
  ].join('\n');
}
