// GraphQL Yoga with generic-auth (mode protect-granular) and jose; its login awaits Argon2id in libuv's thread pool.
import { createServer } from 'node:http';
import { useGenericAuth } from '@envelop/generic-auth';
import { hash, verify } from '@node-rs/argon2';
import { createSchema, createYoga } from 'graphql-yoga';
import { SignJWT } from 'jose';
import { DIRECTIVE, RECORD_AND_ITEMS, resolvers, SECURE_DATA } from './schema.ts';
import { readSettings, serve } from './serve.ts';
import { createTokenCheck } from './verify-token.js';

const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };
const settings = readSettings();
const { accounts, issuer, audience, sharedSecret } = settings;
const passwordHash = accounts.emails.length > 0 ? await hash(accounts.password, ARGON2ID) : '';
const users = new Map(accounts.emails.map((email) => [email, { id: email, passwordHash }]));
const findCaller = await createTokenCheck(settings);
const LOGIN = `
  type Mutation { login(email: String!, password: String!): AuthPayload! }
  type AuthPayload { accessToken: String! }
`;

async function login(_parent, { email, password }) {
  const user = users.get(email);
  if (!user || !(await verify(user.passwordHash, password))) throw new Error('Wrong email or password');
  const accessToken = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setSubject(user.id)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(sharedSecret));
  return { accessToken };
}

const yoga = createYoga({
  schema: createSchema({
    typeDefs: [DIRECTIVE, SECURE_DATA, RECORD_AND_ITEMS, LOGIN],
    resolvers: { ...resolvers, Mutation: { login } },
  }),
  plugins: [
    useGenericAuth({
      mode: 'protect-granular',
      resolveUserFn: ({ request }) => findCaller(request.headers.get('authorization')),
    }),
  ],
  graphiql: false,
  landingPage: false,
  logging: false,
});
await serve(createServer(yoga));
