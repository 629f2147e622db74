// better-auth's session check in front of a node:http route, with its cookie cache: no query of the database.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders } from 'better-auth/node';
import { SECURE_QUERY } from './schema.ts';
import { readSettings, serve } from './serve.ts';

const DAY_SECONDS = 24 * 60 * 60;
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery staple' };
const options = {
  database: new DatabaseSync(':memory:'),
  baseURL: 'http://127.0.0.1',
  secret: readSettings().secret,
  session: { cookieCache: { enabled: true, maxAge: DAY_SECONDS } },
  // Creating sessions is not measured, and thousands are needed: no password hashing.
  emailAndPassword: {
    enabled: true,
    password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password },
  },
  telemetry: { enabled: false },
  logger: { disabled: true },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
await auth.api.signUpEmail({ body: { ...ACCOUNT, name: 'Ada' } });

/** Signs in `count` times. */
async function createCookies({ count }) {
  const cookies = [];
  for (let i = 0; i < count; i += 1) {
    const { headers } = await auth.api.signInEmail({ body: ACCOUNT, returnHeaders: true });
    const pairs = headers.getSetCookie().map((cookie) => cookie.slice(0, cookie.indexOf(';')));
    cookies.push(pairs.join('; '));
  }
  return cookies;
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const { query } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
    const isGranted = session !== null && query === SECURE_QUERY.query;
    const body = isGranted ? SECURE_QUERY.response : '{"errors":[{"message":"Not signed in"}]}';
    response.writeHead(isGranted ? 200 : 401, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
await serve(server, { cookies: createCookies });
