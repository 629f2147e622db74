// Masks errors as the application's Yoga server does.
import { type ExecutionResult, GraphQLError } from 'graphql';
import { type AnyYoga, getErrorMaskOptions } from '../yoga-internals.ts';

export interface ErrorMask {
  /** @returns the result with its errors masked */
  maskResult(result: ExecutionResult): ExecutionResult;
  /** Converts anything thrown outside of a resolver to the errors of a response. */
  toErrors(error: unknown): GraphQLError[];
}

const UNEXPECTED = { code: 'INTERNAL_SERVER_ERROR', unexpected: true };

/** Creates the mask of a Yoga server, which also logs what it masks. With `maskedErrors: false`, errors stay unmasked. */
export function createErrorMask(yoga: AnyYoga): ErrorMask {
  const options = getErrorMaskOptions(yoga);

  /** Copies Yoga's `handleError`, which is not exported. */
  function toErrors(error: unknown): GraphQLError[] {
    if (typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)) {
      return error.errors.flatMap(toErrors);
    }
    const masked =
      options === undefined ? error : options.maskError(error, options.errorMessage, options.isDev);
    if (masked instanceof GraphQLError) return [masked];
    if (options !== undefined) {
      const { message } = masked as Error; // `maskError` returns an error
      return [new GraphQLError(message, { originalError: masked as Error })];
    }
    if (masked instanceof Error) return [new GraphQLError(masked.message, { originalError: masked })];
    const text = masked == null ? 'Unexpected error.' : String(masked);
    return [new GraphQLError(text, { extensions: UNEXPECTED })];
  }

  return {
    toErrors,
    maskResult: (result) =>
      result.errors === undefined || options === undefined
        ? result
        : {
            ...result,
            errors: result.errors.map(
              (error) => options.maskError(error, options.errorMessage, options.isDev) as typeof error, // a GraphQLError for a GraphQLError
            ),
          },
  };
}
