// Apollo Server in Fastify, jose in its context function, and a directive that wraps resolvers, as documented.
import { ApolloServer } from '@apollo/server';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { getDirective, MapperKind, mapSchema } from '@graphql-tools/utils';
import Fastify from 'fastify';
import { defaultFieldResolver, GraphQLError } from 'graphql';
import { DIRECTIVE, RECORD_AND_ITEMS, resolvers, SECURE_DATA } from './schema.ts';
import { readSettings, serve } from './serve.ts';
import { createTokenCheck } from './verify-token.js';

const findCaller = await createTokenCheck(readSettings());
const original = makeExecutableSchema({ typeDefs: [DIRECTIVE, SECURE_DATA, RECORD_AND_ITEMS], resolvers });
const schema = mapSchema(original, {
  [MapperKind.OBJECT_FIELD](field) {
    if (!getDirective(original, field, 'authenticated')) return field;
    const { resolve = defaultFieldResolver } = field;
    return {
      ...field,
      resolve(parent, args, context, info) {
        if (context.user === null) {
          throw new GraphQLError('Not signed in', {
            extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
          });
        }
        return resolve(parent, args, context, info);
      },
    };
  },
});

const app = Fastify({ logger: false });
const apollo = new ApolloServer({ schema, plugins: [fastifyApolloDrainPlugin(app)] });
await apollo.start();
await app.register(fastifyApollo(apollo), {
  context: async (request) => ({ user: await findCaller(request.headers.authorization) }),
});
await app.listen({ port: 0, host: '127.0.0.1' });
await serve(app.server);
