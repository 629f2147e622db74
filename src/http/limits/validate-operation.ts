// Validation in bounded time: graphql-js's rules, with one of ours in the place of the one that is quadratic.
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

/** Selections that graphql-js's own rule compares within milliseconds; it words all conflicts of a document. */
const MAX_PAIRWISE_STEPS = 200;
/** Of one reason of a conflict, as in graphql-js. */
const MAX_REASON_LENGTH = 1_000;
/** Of any message: names can be as long as the document, and each error repeats some. */
const MAX_MESSAGE_LENGTH = 2_000;

/** Fragments of documents that report fewer errors: one of a cycle names all fragments of it. */
const MANY_FRAGMENTS = 50;
const MAX_ERRORS_OF_MANY_FRAGMENTS = 5;

/** As envelop calls it. */
export type ValidateOperation = (
  schema: GraphQLSchema,
  document: DocumentNode,
  rules?: readonly ValidationRule[],
  typeInfo?: unknown,
  options?: ValidationOptions,
) => readonly GraphQLError[];

type ValidationOptions = Parameters<typeof validate>[3];

/**
 * Validates without suggestions, which would name what a caller may not see, and without the values that were sent.
 * @param maxComparedFields above it the one error is `OPERATION_TOO_COSTLY`
 */
export function createValidate(maxComparedFields: number): ValidateOperation {
  return (schema, document, rules = specifiedRules, _typeInfo, input) => {
    const options = { ...input, ...limitErrors(document), hideSuggestions: true };
    const isPairwise = (rule: ValidationRule) => rule.name === OverlappingFieldsCanBeMergedRule.name;
    const isBounded = rules.some(isPairwise) && !hasFragmentVariables(document);
    const comparison = isBounded ? findFieldConflicts(schema, document, maxComparedFields) : undefined;
    if (comparison !== undefined && comparison.steps > maxComparedFields) {
      return [limitExceeded('maxComparedFields', comparison.steps, maxComparedFields, 'fields to compare')];
    }
    const valueErrors = createValueErrors();
    const bounded = rules.map((rule) => {
      if (rule.name === ValuesOfCorrectTypeRule.name) return valueErrors.limitRule(rule);
      return comparison !== undefined && isPairwise(rule) ? reportConflicts(rule, comparison) : rule;
    });
    return valueErrors.collect(() => validate(schema, document, bounded, options)).map(withBriefMessage);
  };
}

function limitErrors({ definitions }: DocumentNode): ValidationOptions {
  const fragments = definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
  return fragments.length > MANY_FRAGMENTS ? { maxErrors: MAX_ERRORS_OF_MANY_FRAGMENTS } : {};
}

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

/** Names the outermost fields that are merged, then what is in them, as graphql-js does. */
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

/** An experiment of graphql-js, off unless the parser is told otherwise; its own rule bounds the work. */
function hasFragmentVariables({ definitions }: DocumentNode): boolean {
  return definitions.some(
    (one) => one.kind === Kind.FRAGMENT_DEFINITION && Boolean(one.variableDefinitions?.length),
  );
}
