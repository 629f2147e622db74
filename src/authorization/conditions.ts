// `@skip` and `@include` on the way to a field: settled by the text, or by variables at each request.
import { type DirectiveNode, Kind, type OperationDefinitionNode } from 'graphql';

/** A variable that leaves a selection out. */
export interface Condition {
  variable: string;
  /** The value with which it does. */
  excludesWhen: boolean;
}

export type Conditions = readonly Condition[];
export type Variables = Readonly<Record<string, unknown>>;

/** The conditions with those of one selection added; undefined where it is left out whatever the variables. */
export function addConditions(
  directives: readonly DirectiveNode[] | undefined,
  conditions: Conditions,
): Conditions | undefined {
  let narrowed = conditions;
  for (const { name, arguments: args } of directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const excludesWhen = name.value === 'skip';
    const value = args?.find((argument) => argument.name.value === 'if')?.value;
    if (value?.kind === Kind.BOOLEAN && value.value === excludesWhen) return undefined;
    if (value?.kind !== Kind.VARIABLE) continue;
    const variable = value.name.value;
    const isKnown = narrowed.some((one) => one.variable === variable && one.excludesWhen === excludesWhen);
    if (!isKnown) narrowed = [...narrowed, { variable, excludesWhen }];
  }
  return narrowed;
}

/** The request's variables with the operation's default values, as far as they decide conditions. */
export function withDefaults(operation: OperationDefinitionNode, variables: Variables): Variables {
  const values: Record<string, unknown> = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (values[name] === undefined && defaultValue?.kind === Kind.BOOLEAN) values[name] = defaultValue.value;
  }
  return values;
}

/** Whether the selection stays with these variables; anything but a clear no is a yes. */
export function isSelected(conditions: Conditions, variables: Variables): boolean {
  return conditions.every(({ variable, excludesWhen }) => variables[variable] !== excludesWhen);
}
