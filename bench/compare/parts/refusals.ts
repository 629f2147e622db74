// What a refusal costs, against an answer of the same server.
import { once } from 'node:events';
import { request } from 'node:http';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { createClient } from '../clients.ts';
import { kindsOf } from '../contenders.ts';
import { compareSlices, showSpread } from '../ratios.ts';
import { makeRealm } from '../realm.ts';
import { inRotation, LOGIN, writeRequests } from '../requests.ts';
import type { Part } from '../setup.ts';
import { loadInTurn, type Target } from '../slices.ts';
import { type Contender, startContender, withContenders } from '../start-contender.ts';

const CONNECTIONS = 50;
/** Several that come at once are verified each: one verification serves all who send the same. */
const FORGED_TOKENS = 10_000;

interface Case {
  title: string;
  query: string;
  /** Sent in turn. */
  tokens: readonly (string | undefined)[];
  status: number;
}

export const measureRefusals: Part = async (setup) => {
  const realm = await makeRealm(setup.folder, 1);
  const signed = await realm.signTokens(FORGED_TOKENS);
  const [token = ''] = signed;
  return withContenders(
    kindsOf('bandha'),
    (kind) => startContender(kind, realm.settings, setup.cores),
    async ([contender]) => {
      const bandha = contender as Contender; // it was asked for
      const secure = SECURE_QUERY.query;
      const cases: Case[] = [
        { title: 'answered', query: secure, tokens: [token], status: 200 },
        { title: 'no token', query: secure, tokens: [undefined], status: 401 },
        { title: 'not a token', query: secure, tokens: ['no-token'], status: 401 },
        {
          title: 'session ended',
          query: secure,
          tokens: [await endSession(bandha, realm.settings.accounts)],
          status: 401,
        },
        { title: 'role missing', query: '{ admins }', tokens: [token], status: 403 },
        {
          title: 'forged: a signature to check',
          query: secure,
          tokens: signed.map((one) => `${one.slice(0, -8)}AAAAAAAA`),
          status: 401,
        },
      ];
      const targets: Target[] = [];
      for (const { query, tokens, status } of cases) {
        const headers = tokens.map((one) => (one === undefined ? '' : `authorization: Bearer ${one}`));
        targets.push({
          contender: bandha,
          connections: CONNECTIONS,
          supply: inRotation(await writeRequests(setup.folder, headers, [{ query }]), tokens.length),
          answerBytes: await measureAnswer(bandha, query, tokens[0], status),
          isRefused: status >= 400,
        });
      }
      const [slices = []] = await loadInTurn([targets], setup);
      const rows = cases.map(({ title }, i) => {
        const { byCpu, byRequests } = compareSlices(slices[i] ?? [], slices[0] ?? []);
        return [
          title,
          median((slices[i] ?? []).map(({ cpuMicros }) => cpuMicros)),
          showSpread(byRequests),
          showSpread(byCpu),
        ];
      });
      const columns = ['CPU time, µs', 'requests/s, times an answer’s', 'times less CPU'];
      return { markdown: formatTable('Refused because of', columns, rows) };
    },
  );
};

/** @returns the token of a session that has ended */
async function endSession(
  { port }: Contender,
  { emails, password }: { emails: readonly string[]; password: string },
) {
  const client = createClient(port);
  const { body } = await client.ask(LOGIN, { email: emails[0], password });
  const token: string = body.data.login.accessToken;
  await client.ask('mutation { logout }', {}, token);
  client.close();
  return token;
}

/** @returns the length of the right answer, head and body */
async function measureAnswer({ port }: Contender, query: string, token: string | undefined, status: number) {
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/graphql',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  }).end(JSON.stringify({ query }));
  const [response] = await once(sent, 'response');
  if (response.statusCode !== status) throw new Error(`${query} was answered with ${response.statusCode}`);
  const { socket } = response; // gone after the end
  await once(response.resume(), 'end');
  const bytes: number = socket.bytesRead;
  socket.destroy();
  return bytes;
}
