// Bandha as the README has it: its listener in node:http.
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createBandha } from '../../src/bandha.ts';
import { RECORD_AND_ITEMS, resolvers, SECURE_DATA } from './schema.ts';
import { readSettings, serve } from './serve.ts';

const { accounts, issuer, audience, databaseUrl, secret, accessTtlSeconds } = readSettings();
const bandha = await createBandha({
  production: true,
  issuer,
  audience,
  databaseUrl,
  secret,
  accessTtlSeconds,
  typeDefs: [SECURE_DATA, RECORD_AND_ITEMS, 'extend type Query { admins: String @auth(roles: ["admin"]) }'],
  resolvers,
});
for (const email of accounts.emails) {
  const client = { userAgent: undefined, ipAddress: undefined };
  await bandha.accounts.register({ email, password: accounts.password }, client);
}
let unhandledRejections = 0;
process.on('unhandledRejection', () => {
  unhandledRejections += 1;
});

const server = createServer(bandha.listener);
await serve(server, {
  async condition() {
    const openConnections = await promisify(server.getConnections.bind(server))();
    collectGarbage();
    return { heapBytes: process.memoryUsage().heapUsed, unhandledRejections, openConnections };
  },
});

/** All of it: what finalizers let go of at first is collected by the next one. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let i = 0; i < 3; i += 1) collect();
}
