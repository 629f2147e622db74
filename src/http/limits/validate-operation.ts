// Validates documents in bounded time: replaces the one rule of graphql-js whose time is quadratic, and bounds the errors.
import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  OverlappingFieldsCanBeMergedRule,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  ValuesOfCorrectTypeRule,
  validate,
} from 'graphql';
import { type FieldConflict, type FieldConflicts, findFieldConflicts } from './field-conflicts.ts';
import { limitExceeded } from './operation-limits.ts';
import { createValueErrors } from './value-errors.ts';

/** Maximum number of selections for which graphql-js's own rule runs, within milliseconds. It reports every conflict. */
const MAX_PAIRWISE_STEPS = 200;
/** Maximum length of the reason of a conflict, in characters; longer ones are abbreviated. */
const MAX_REASON_LENGTH = 1_000;
/** Maximum length of any message, in characters. Names can be as long as the document, and each error repeats some. */
const MAX_MESSAGE_LENGTH = 2_000;

/** Number of fragments above which fewer errors are reported, because an error about a cycle names every fragment in it. */
const MANY_FRAGMENTS = 50;
const MAX_ERRORS_OF_MANY_FRAGMENTS = 5;

/** Validation function with the arguments that envelop passes. */
export type ValidateOperation = (
  schema: GraphQLSchema,
  document: DocumentNode,
  rules?: readonly ValidationRule[],
  typeInfo?: unknown,
  options?: ValidationOptions,
) => readonly GraphQLError[];

type ValidationOptions = Parameters<typeof validate>[3];

/**
 * Creates the validation function. Its errors contain no suggestions, which could name elements that the caller may not
 * see, and no values of the document.
 * @param maxComparedFields limit of compared selections; beyond it, the only error is `OPERATION_TOO_COSTLY`
 */
export function createValidate(maxComparedFields: number): ValidateOperation {
  return (schema, document, rules = specifiedRules, _typeInfo, givenOptions) => {
    const options = { ...givenOptions, ...limitErrors(document), hideSuggestions: true };
    const isPairwise = (rule: ValidationRule) => rule.name === OverlappingFieldsCanBeMergedRule.name;
    const isReplaced = rules.some(isPairwise) && !hasFragmentVariables(document);
    const comparison = isReplaced ? findFieldConflicts(schema, document, maxComparedFields) : undefined;
    if (comparison !== undefined && comparison.steps > maxComparedFields) {
      return [limitExceeded('maxComparedFields', comparison.steps, maxComparedFields, 'fields to compare')];
    }
    const valueErrors = createValueErrors();
    const boundedRules = rules.map((rule) => {
      if (rule.name === ValuesOfCorrectTypeRule.name) return valueErrors.limitRule(rule);
      return comparison !== undefined && isPairwise(rule) ? reportConflicts(rule, comparison) : rule;
    });
    return valueErrors.collect(() => validate(schema, document, boundedRules, options)).map(withBriefMessage);
  };
}

function limitErrors({ definitions }: DocumentNode): ValidationOptions {
  const fragments = definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
  return fragments.length > MANY_FRAGMENTS ? { maxErrors: MAX_ERRORS_OF_MANY_FRAGMENTS } : {};
}

/** Reports the conflicts that were found. For a short document graphql-js's own rule does, because it finds every conflict. */
function reportConflicts(pairwise: ValidationRule, { conflicts, steps }: FieldConflicts): ValidationRule {
  return (context: ValidationContext): ASTVisitor => {
    if (conflicts.length === 0) return {};
    if (steps <= MAX_PAIRWISE_STEPS) return pairwise(context);
    return {
      [Kind.DOCUMENT]() {
        for (const conflict of conflicts) context.reportError(toError(conflict));
      },
    };
  };
}

/** Names the outermost merged fields first, then the nested ones, as graphql-js does. */
function toError({ first, second, reason }: FieldConflict): GraphQLError {
  let [one, other, text] = [first, second, reason];
  const nodes = [[one.node], [other.node]];
  while (one.parent !== undefined && other.parent !== undefined && one.parent.node !== other.parent.node) {
    text = abbreviate(`subfields "${abbreviate(one.key)}" conflict because ${text}`);
    [one, other] = [one.parent, other.parent];
    nodes[0]?.unshift(one.node);
    nodes[1]?.unshift(other.node);
  }
  return new GraphQLError(
    `Fields "${abbreviate(one.key)}" conflict because ${text}. Use different aliases on the fields to fetch both if this was intentional.`,
    { nodes: nodes.flatMap((side) => side.slice(0, 20)) },
  );
}

function withBriefMessage(error: GraphQLError): GraphQLError {
  const { message, nodes } = error;
  return message.length > MAX_MESSAGE_LENGTH
    ? new GraphQLError(`${message.slice(0, MAX_MESSAGE_LENGTH)}...`, { nodes: nodes ?? null })
    : error;
}

function abbreviate(text: string): string {
  return text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)}...` : text;
}

/** Fragment variables are an experiment of graphql-js behind a parser option. Documents with them get graphql-js's own rule. */
function hasFragmentVariables({ definitions }: DocumentNode): boolean {
  return definitions.some(
    (one) => one.kind === Kind.FRAGMENT_DEFINITION && Boolean(one.variableDefinitions?.length),
  );
}
