// Resolves every `@skip` and `@include` of an operation.
import { type DirectiveNode, type DocumentNode, Kind, visit } from 'graphql';

/** The smallest and the largest selection that missing variables allow. */
export interface ResolvedDocuments {
  /** Selections that are included for every value of the missing variables. */
  minimum: DocumentNode;
  /** Selections that are included for some value. The same object as `minimum` if no variable is missing. */
  maximum: DocumentNode;
}

/** @param variables known values; default values are ignored, because a client may send others */
export function resolveConditions(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
): ResolvedDocuments {
  let isUndecided = false;

  /** Returns undefined if it depends on a missing variable. */
  function excludes(directive: DirectiveNode): boolean | undefined {
    const value = directive.arguments?.find(({ name }) => name.value === 'if')?.value;
    const literal = value?.kind === Kind.BOOLEAN ? value.value : undefined;
    const condition = value?.kind === Kind.VARIABLE ? variables[value.name.value] : literal;
    if (typeof condition !== 'boolean') return undefined;
    return directive.name.value === 'skip' ? condition : !condition;
  }

  function resolve(includesUndecided: boolean): DocumentNode {
    const enter = <Node extends { readonly directives?: readonly DirectiveNode[] | undefined }>(
      node: Node,
    ) => {
      const conditions = (node.directives ?? []).filter(isCondition);
      if (conditions.length === 0) return undefined;
      const exclusions = conditions.map(excludes);
      isUndecided ||= exclusions.includes(undefined);
      if (exclusions.some((isExcluded) => isExcluded ?? !includesUndecided)) return null;
      return { ...node, directives: node.directives?.filter((directive) => !isCondition(directive)) };
    };
    return visit(document, { Field: enter, FragmentSpread: enter, InlineFragment: enter });
  }

  const maximum = resolve(true);
  return { maximum, minimum: isUndecided ? resolve(false) : maximum };
}

function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include';
}
