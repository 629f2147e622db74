// Masks errors as the application's Yoga server does.
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { AnyYoga } from '../yoga-internals.ts';

interface MaskedErrorsOptions {
  maskError(error: unknown, message: string, isDev?: boolean): Error;
  errorMessage: string;
  isDev?: boolean;
}

export interface ErrorMask {
  /** The result with its errors masked. */
  maskResult(result: ExecutionResult): ExecutionResult;
  /** The errors of a response to whatever was thrown outside of a resolver. */
  toErrors(error: unknown): GraphQLError[];
}

const UNEXPECTED = { code: 'INTERNAL_SERVER_ERROR', unexpected: true };

/** Reads the mask of a Yoga server, which also logs what it masks. The server has none with `maskedErrors: false`. */
export function createErrorMask(yoga: AnyYoga): ErrorMask {
  // There, though not in the types; through the adapter's proxy, null is undefined.
  const { maskedErrorsOpts: options } = yoga as unknown as { maskedErrorsOpts?: MaskedErrorsOptions | null };

  /** Yoga's own `handleError`, which it does not export. */
  function toErrors(error: unknown): GraphQLError[] {
    if (typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)) {
      return error.errors.flatMap(toErrors);
    }
    const masked = options == null ? error : options.maskError(error, options.errorMessage, options.isDev);
    if (masked instanceof GraphQLError) return [masked];
    if (options != null) {
      const { message } = masked as Error; // what a mask gives
      return [new GraphQLError(message, { originalError: masked as Error })];
    }
    if (masked instanceof Error) return [new GraphQLError(masked.message, { originalError: masked })];
    const text = masked == null ? 'Unexpected error.' : String(masked);
    return [new GraphQLError(text, { extensions: UNEXPECTED })];
  }

  return {
    toErrors,
    maskResult: (result) =>
      result.errors === undefined || options == null
        ? result
        : {
            ...result,
            errors: result.errors.map(
              (error) => options.maskError(error, options.errorMessage, options.isDev) as typeof error, // of a GraphQLError it makes one
            ),
          },
  };
}
