// What a caller may not see in the schema does not leak through error messages.
import { NoSchemaIntrospectionCustomRule, validate } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Leaves "Did you mean ...?" out of validation errors, and refuses introspection where it is off. */
export function useHiddenNames({ introspection }: { introspection: boolean }): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
      setValidationFn((schema, document, rules, _typeInfo, options) =>
        validate(schema, document, rules, { ...options, hideSuggestions: true }),
      );
    },
  };
}
