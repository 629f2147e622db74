// Which operations the compiler is trusted with, and how much work each of them is.
import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * Those that select, whatever happens, exactly the fields that are written in them: then the guard has seen each field that
 * can be run. graphql-jit loses conditions where it merges selections, does not know graphql 17's default values, and
 * never answers where the type of an object is found out by code that throws.
 * @returns how many fields there are with every fragment written out where it is spread, as the compiler does;
 *   undefined where the operation is to be interpreted
 */
export function measureOperation(schema: GraphQLSchema, document: DocumentNode): number | undefined {
  return isPlain(schema, document) ? countFields(document) : undefined;
}

function isPlain(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let isPlain = true;
  const refuse = () => {
    isPlain = false;
  };
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      [Kind.VARIABLE_DEFINITION]: refuse,
      [Kind.DIRECTIVE]: refuse,
      [Kind.NAME]: ({ value }) => {
        if (value === '__proto__') refuse();
      },
      [Kind.FIELD]() {
        const field = typeInfo.getFieldDef();
        if (!field || isAbstractType(typeInfo.getParentType()) || !isPlainField(field)) refuse();
      },
    }),
  );
  return isPlain;
}

function isPlainField({ args, type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  const nullable = getNullableType(type);
  const isListOfLists = isListType(nullable) && isListType(getNullableType(nullable.ofType));
  const isFoundOut = isAbstractType(named) || (isObjectType(named) && named.isTypeOf != null);
  return args.length === 0 && !isListOfLists && !isFoundOut;
}

function countFields(document: DocumentNode): number {
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one.selectionSet] as const] : [],
    ),
  );
  const counts = new Map<SelectionSetNode, number>();
  const countIn = (selectionSet: SelectionSetNode | undefined): number => {
    if (selectionSet === undefined) return 0;
    const known = counts.get(selectionSet);
    if (known !== undefined) return known;
    const count = selectionSet.selections.reduce((sum, selection) => {
      const inside =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? fragments.get(selection.name.value)
          : selection.selectionSet;
      return sum + 1 + countIn(inside);
    }, 0);
    counts.set(selectionSet, count);
    return count;
  };
  return document.definitions.reduce(
    (sum, one) => sum + (one.kind === Kind.OPERATION_DEFINITION ? countIn(one.selectionSet) : 0),
    0,
  );
}
