// Bandha's listener in node:http, as in the README.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createBandha } from '../../src/bandha.ts';
import { RECORD_AND_ITEMS, resolvers, SECURE_DATA } from './schema.ts';
import { type Command, readSettings, serve } from './serve.ts';

/** Result of the command `condition`. */
export interface Condition {
  /** After a full collection. */
  heapBytes: number;
  unhandledRejections: number;
  openConnections: number;
}

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
await serve(server, { condition: readCondition, authenticate: authenticateAll });

async function readCondition(): Promise<Condition> {
  const openConnections = await promisify(server.getConnections.bind(server))();
  collectGarbage();
  return { heapBytes: process.memoryUsage().heapUsed, unhandledRejections, openConnections };
}

/** Authenticates each line of a file. @returns the number of tokens that were accepted */
async function authenticateAll({ file = '' }: Command): Promise<number> {
  let accepted = 0;
  for await (const token of createInterface({ input: createReadStream(file, 'latin1') })) {
    const { principal } = await bandha.authenticate({ authorization: `Bearer ${token}` });
    if (principal !== null) accepted += 1;
  }
  return accepted;
}

/** Collects repeatedly: objects that finalizers release are freed by the next collection. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let i = 0; i < 3; i += 1) collect();
}
