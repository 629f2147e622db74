// Mercurius with its JIT, mercurius-auth, and fast-jwt with a cache as large as Bandha's, keyed by the token itself, which
// its documentation recommends for speed.
import { createPublicKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import mercuriusAuth from 'mercurius-auth';
import { DIRECTIVE, RECORD_AND_ITEMS, resolvers, SECURE_DATA } from './schema.ts';
import { readSettings, serve } from './serve.ts';

const { publicJwk, issuer, audience } = readSettings();
const verify = createVerifier({
  key: createPublicKey({ key: publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
  algorithms: ['EdDSA'],
  allowedIss: issuer,
  allowedAud: audience,
  checkTyp: 'at+jwt',
  cache: 100_000,
  cacheKeyBuilder: (token) => token,
});

const app = Fastify({ logger: false });
app.register(mercurius, { schema: DIRECTIVE + SECURE_DATA + RECORD_AND_ITEMS, resolvers, jit: 1 });
app.register(mercuriusAuth, {
  authDirective: 'authenticated',
  authContext({ reply }) {
    const { authorization } = reply.request.headers;
    if (!authorization?.startsWith('Bearer ')) return { identity: null };
    try {
      return { identity: verify(authorization.slice(7)).sub };
    } catch {
      return { identity: null };
    }
  },
  async applyPolicy(_directive, _parent, _args, { auth }) {
    return auth.identity !== null;
  },
});
await app.listen({ port: 0, host: '127.0.0.1' });
await serve(app.server);
