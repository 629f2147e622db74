// Bad input gets a clear answer: what Yoga would call an unexpected error, or answer with too much, is put right.
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Answers 400 to query parameters that are not JSON, and leaves what could not be parsed out of the answer. */
export function useClearRefusals(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
        } catch (error) {
          if (error instanceof SyntaxError) throw badRequest('variables and extensions must be JSON.');
          // Yoga repeats the JSON parser's message, which quotes the body: a password may stand there.
          if (error instanceof GraphQLError && error.extensions.originalError !== undefined) {
            throw badRequest(error.message);
          }
          throw error;
        }
      });
    },
  };
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}
