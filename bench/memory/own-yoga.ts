// An application's own Yoga server with the plugins of Bandha. Prints its address.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { createBandha } from '../../src/bandha.ts';

const { schema, plugins } = await createBandha({
  databaseUrl: 'sqlite::memory:',
  secret: randomBytes(32).toString('base64'),
  multipart: { maxBodyBytes: 200_000 },
});
const yoga = createYoga({ schema, plugins, graphiql: false, logging: false });
const server = createServer(yoga).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  console.log(`http://localhost:${port}/graphql`);
});
