// What a caller may not see in the schema does not leak through error messages.
import { NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ValidateOperation } from '../limits/validate-operation.ts';

export interface BlockSuggestionsOptions {
  introspection: boolean;
  validate: ValidateOperation;
}

/** Leaves "Did you mean ...?" out of validation errors, and refuses introspection where it is off. */
export function useBlockSuggestions({ introspection, validate }: BlockSuggestionsOptions): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
      setValidationFn(validate);
    },
  };
}
