// Bandha as the README has it: its listener in node:http.
import { createServer } from 'node:http';
import { createBandha } from '../../src/server.ts';
import { dataResolvers, RECORD_AND_ITEMS } from './schema.ts';
import { readSettings, serve } from './serve.ts';

const { accounts, issuer, audience, databaseUrl, secret, accessTtlSeconds } = readSettings();
const bandha = await createBandha({
  production: true,
  issuer,
  audience,
  databaseUrl,
  secret,
  accessTtlSeconds,
  typeDefs: RECORD_AND_ITEMS,
  resolvers: dataResolvers,
});
for (const email of accounts.emails) {
  const client = { userAgent: undefined, ipAddress: undefined };
  await bandha.accounts.register({ email, password: accounts.password }, client);
}
await serve(createServer(bandha.listener));
