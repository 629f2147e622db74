// Which operations are compiled: those of which everything is known before they run, and that are not too long.
import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** Compiled, each field takes some hundred bytes. */
const MAX_FIELDS = 1_000;
/** Any field takes as many characters; an operation that has more of them writes them out of fragments again and again. */
const MIN_FIELD_LENGTH = 2;

/**
 * Whether the operations of a valid document select, whatever happens, exactly the fields that are written in them: no
 * arguments, variables and directives, no types that are found out while they run, no introspection.
 */
export function isCompilable(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let isCompilable = true;
  const refuse = () => {
    isCompilable = false;
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
        if (!field || isAbstractType(typeInfo.getParentType()) || !isCompilableField(field)) refuse();
      },
    }),
  );
  const most = Math.min(MAX_FIELDS, (document.loc?.end ?? 0) / MIN_FIELD_LENGTH);
  return isCompilable && countFields(document) <= most;
}

function isCompilableField({ name, args, type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  const isResolvedAtRuntime = isAbstractType(named) || (isObjectType(named) && named.isTypeOf != null);
  return args.length === 0 && !isResolvedAtRuntime && (name === '__typename' || !name.startsWith('__'));
}

/** With every fragment written out where it is spread. */
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
