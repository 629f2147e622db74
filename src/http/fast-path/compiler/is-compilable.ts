// Decides which operations are compiled: short ones whose selected fields are certain before they run.
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
import { toFragmentMap } from '../../../utils/fragments.ts';

/** Maximum number of fields, with fragments expanded. Each compiled field retains some hundred bytes. */
const MAX_FIELDS = 1_000;
/** Minimum number of characters per field. With more fields than that, an operation spreads its fragments repeatedly. */
const MIN_FIELD_LENGTH = 2;

/**
 * Whether every operation of a valid document always selects exactly the fields written in it: no arguments, variables or
 * directives, no types that are resolved at runtime, no introspection.
 */
export function isCompilable(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let isCompilable = true;
  const reject = () => {
    isCompilable = false;
  };
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      [Kind.VARIABLE_DEFINITION]: reject,
      [Kind.DIRECTIVE]: reject,
      [Kind.NAME]: ({ value }) => {
        if (value === '__proto__') reject();
      },
      [Kind.FIELD]() {
        const field = typeInfo.getFieldDef();
        if (!field || isAbstractType(typeInfo.getParentType()) || !isCompilableField(field)) reject();
      },
    }),
  );
  const maxFields = Math.min(MAX_FIELDS, (document.loc?.end ?? 0) / MIN_FIELD_LENGTH);
  return isCompilable && countFields(document) <= maxFields;
}

function isCompilableField({ name, args, type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  const isResolvedAtRuntime = isAbstractType(named) || (isObjectType(named) && named.isTypeOf != null);
  return args.length === 0 && !isResolvedAtRuntime && (name === '__typename' || !name.startsWith('__'));
}

/** Counts selections with every fragment expanded wherever it is spread. Each selection set is visited once. */
function countFields(document: DocumentNode): number {
  const fragments = toFragmentMap(document);
  const counts = new Map<SelectionSetNode, number>();
  const countIn = (selectionSet: SelectionSetNode | undefined): number => {
    if (selectionSet === undefined) return 0;
    const cached = counts.get(selectionSet);
    if (cached !== undefined) return cached;
    const count = selectionSet.selections.reduce((sum, selection) => {
      const node = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      return sum + 1 + countIn(node?.selectionSet);
    }, 0);
    counts.set(selectionSet, count);
    return count;
  };
  return document.definitions.reduce(
    (sum, one) => sum + (one.kind === Kind.OPERATION_DEFINITION ? countIn(one.selectionSet) : 0),
    0,
  );
}
