// Prevents validation errors from naming elements of the schema that the caller may not see.
import { NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ValidateOperation } from '../limits/validate-operation.ts';

export interface BlockSuggestionsOptions {
  /** Whether introspection is allowed. */
  introspection: boolean;
  validate: ValidateOperation;
}

/** Omits "Did you mean ...?" from validation errors, and rejects introspection if it is disabled. */
export function useBlockSuggestions({ introspection, validate }: BlockSuggestionsOptions): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
      setValidationFn(validate);
    },
  };
}
