// `@skip` and `@include` between the root and a field: decided by the document, or by the variables of a request.
import { type DirectiveNode, Kind, type OperationDefinitionNode } from 'graphql';

/** A variable that can exclude a selection. */
export interface Condition {
  variable: string;
  /** The value of the variable that excludes the selection. */
  excludesWhen: boolean;
}

/** All must hold for a field to be selected. */
export type Conditions = readonly Condition[];
export type Variables = Readonly<Record<string, unknown>>;

/** @returns the conditions with those of one selection added; undefined if a literal excludes the selection in every request */
export function addConditions(
  directives: readonly DirectiveNode[] | undefined,
  conditions: Conditions,
): Conditions | undefined {
  let combined = conditions;
  for (const { name, arguments: args } of directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const excludesWhen = name.value === 'skip';
    const value = args?.find((argument) => argument.name.value === 'if')?.value;
    if (value?.kind === Kind.BOOLEAN && value.value === excludesWhen) return undefined;
    if (value?.kind !== Kind.VARIABLE) continue;
    const variable = value.name.value;
    const isPresent = combined.some((one) => one.variable === variable && one.excludesWhen === excludesWhen);
    if (!isPresent) combined = [...combined, { variable, excludesWhen }];
  }
  return combined;
}

/** @returns the request's variables with the operation's default values, as far as conditions can use them */
export function withDefaults(operation: OperationDefinitionNode, variables: Variables): Variables {
  const values: Record<string, unknown> = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (values[name] === undefined && defaultValue?.kind === Kind.BOOLEAN) values[name] = defaultValue.value;
  }
  return values;
}

/** Whether the variables select a field. A value that is not a boolean counts as selecting, so that the field is checked. */
export function isSelected(conditions: Conditions, variables: Variables): boolean {
  return conditions.every(({ variable, excludesWhen }) => variables[variable] !== excludesWhen);
}
