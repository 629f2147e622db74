// Errors about values in a document. graphql-js repeats each value, which may be a secret, and of an object with unknown fields
// all of it for each of them: megabytes from a document of kilobytes.
import { GraphQLError, type ValidationContext, type ValidationRule } from 'graphql';

/** Characters that the messages of one document may have before their values are left out. */
const MAX_MESSAGES_LENGTH = 50_000;
/** The end of a message that begins to repeat a value. */
const REPEATED_VALUE = /, but encountered error .*|, found: .*|(?<= value): .*/s;

export interface ValueErrors {
  /** The rule that reports wrong values, without the values, and only so far as messages have been written within the limit. */
  limitRule(rule: ValidationRule): ValidationRule;
  /** Validates; if that was ended by the limit, with the errors up to there. */
  collect(validate: () => readonly GraphQLError[]): readonly GraphQLError[];
}

/** For one validation. */
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
      }) as ValidationContext; // everything else is inherited
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
