// Serves the public signing keys, with which other services verify Bandha's access tokens.
import type { Plugin } from 'graphql-yoga';
import type { JSONWebKeySet } from 'jose';
import { JWKS_MAX_AGE_SECONDS } from '../../tokens/keys/rotation.ts';
import { isReadMethod, methodNotAllowed } from '../responses.ts';

const JWKS_PATH = '/.well-known/jwks.json';

/** Serves the JWK Set (RFC 7517, section 5) at `/.well-known/jwks.json`. */
export function useJwks(jwks: () => JSONWebKeySet): Plugin {
  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (url.pathname !== JWKS_PATH) return;
      if (!isReadMethod(request.method)) {
        endResponse(methodNotAllowed(fetchAPI));
        return;
      }
      endResponse(
        new fetchAPI.Response(JSON.stringify(jwks()), {
          headers: {
            'Content-Type': 'application/jwk-set+json',
            'Cache-Control': `public, max-age=${JWKS_MAX_AGE_SECONDS}`,
          },
        }),
      );
    },
  };
}
