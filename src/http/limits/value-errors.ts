// Shortens errors about values in a document. graphql-js repeats each value, which may be a secret. For an object with
// unknown fields it repeats the whole object per field: a document of kilobytes would give a response of megabytes.
import { GraphQLError, type ValidationContext, type ValidationRule } from 'graphql';

/** Maximum total length of the original messages of one document, in characters. Validation stops beyond it. */
const MAX_MESSAGES_LENGTH = 50_000;
/** Matches the end of a message from where it begins to repeat a value. */
const REPEATED_VALUE = /, but encountered error .*|, found: .*|(?<= value): .*/s;

export interface ValueErrors {
  /** Wraps a rule that reports invalid values: its messages lose the values, and it stops beyond the limit. */
  limitRule(rule: ValidationRule): ValidationRule;
  /** Runs the validation. If the limit stopped it, returns the errors up to that point. */
  collect(validate: () => readonly GraphQLError[]): readonly GraphQLError[];
}

/** Creates the state of one validation. */
export function createValueErrors(): ValueErrors {
  const errors: GraphQLError[] = [];
  const limitReached = new Error('Too many characters in messages about values');
  let length = 0;

  function toBrief({ message, nodes }: GraphQLError): GraphQLError {
    return new GraphQLError(message.replace(REPEATED_VALUE, '.'), { nodes: nodes ?? null });
  }

  return {
    limitRule: (rule) => (context) => {
      const brief = Object.create(context, {
        reportError: {
          value(error: GraphQLError) {
            const reported = toBrief(error);
            errors.push(reported);
            context.reportError(reported);
            length += error.message.length;
            if (length > MAX_MESSAGES_LENGTH) throw limitReached;
          },
        },
      }) as ValidationContext; // inherits everything else
      return rule(brief);
    },
    collect(validate) {
      try {
        return validate();
      } catch (error) {
        if (error !== limitReached) throw error;
        return errors;
      }
    },
  };
}
