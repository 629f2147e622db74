// Puts the headers that every answer carries on those that lack them.
import type { Plugin } from 'graphql-yoga';
import { RESPONSE_HEADERS } from './response-headers.ts';

export function useResponseHeaders(): Plugin {
  return {
    onResponse({ response }) {
      for (const [name, value] of Object.entries(RESPONSE_HEADERS)) {
        if (!response.headers.has(name)) response.headers.set(name, value);
      }
    },
  };
}
