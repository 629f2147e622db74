// An operation as its variables leave it: every `@skip` and `@include` settled and gone.
import { type DirectiveNode, type DocumentNode, Kind, visit } from 'graphql';

/** What is selected whatever the variables that are not given, and what is with some values of them. */
export interface ResolvedDocuments {
  minimum: DocumentNode;
  /** The same document as `atLeast` where every condition is settled. */
  maximum: DocumentNode;
}

/** @param variables those that are given; a default value settles nothing, as a client may send another */
export function withoutConditions(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
): ResolvedDocuments {
  let isOpen = false;

  /** Undefined where it depends on a variable. */
  function leavesOut(directive: DirectiveNode): boolean | undefined {
    const value = directive.arguments?.find(({ name }) => name.value === 'if')?.value;
    const literal = value?.kind === Kind.BOOLEAN ? value.value : undefined;
    const condition = value?.kind === Kind.VARIABLE ? variables[value.name.value] : literal;
    if (typeof condition !== 'boolean') return undefined;
    return directive.name.value === 'skip' ? condition : !condition;
  }

  function settle(isKept: boolean): DocumentNode {
    const enter = <Node extends { readonly directives?: readonly DirectiveNode[] | undefined }>(
      node: Node,
    ) => {
      const conditions = (node.directives ?? []).filter(isCondition);
      if (conditions.length === 0) return undefined;
      const answers = conditions.map(leavesOut);
      isOpen ||= answers.includes(undefined);
      if (answers.some((isLeftOut) => isLeftOut ?? !isKept)) return null;
      return { ...node, directives: node.directives?.filter((one) => !isCondition(one)) };
    };
    return visit(document, { Field: enter, FragmentSpread: enter, InlineFragment: enter });
  }

  const maximum = settle(true);
  return { maximum, minimum: isOpen ? settle(false) : maximum };
}

function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include';
}
