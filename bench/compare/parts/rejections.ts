// Compares rejected requests with an accepted one of the same server.
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { createClient } from '../../support/http.ts';
import { formatTable } from '../../support/table.ts';
import { measureResponse } from '../check-responses.ts';
import { cpuMicros } from '../matrix.ts';
import { compareSlices, formatSpread } from '../ratios.ts';
import { LOGIN, repeatRequests, toHeaders, writeRequests } from '../requests.ts';
import { createIssuer, type Part } from '../setup.ts';
import { loadSlices, type Target } from '../slices.ts';
import { type Contender, withBandha } from '../start-contender.ts';

interface Case {
  title: string;
  query?: string;
  /** Sent in turn; an empty one is none. */
  headers: readonly string[];
  status: number;
}

const CONNECTIONS = 50;
/** Requests that arrive together share the verification of one token; these have different ones. */
const FORGED_TOKENS = 10_000;

export const measureRejections: Part = async (setup) => {
  const issuer = await createIssuer(setup, 1);
  const signed = await issuer.signTokens(FORGED_TOKENS);
  const valid = toHeaders(signed.slice(0, 1));
  return withBandha(issuer.settings, setup.cores.pinTo('server'), async (bandha) => {
    const revoked = await createRevokedToken(bandha, issuer.settings.accounts);
    const forged = signed.map((token) => `${token.slice(0, -8)}AAAAAAAA`);
    const cases: Case[] = [
      { title: 'none: accepted', headers: valid, status: 200 },
      { title: 'no token', headers: [''], status: 401 },
      { title: 'not a token', headers: toHeaders(['no-token']), status: 401 },
      { title: 'session revoked', headers: toHeaders([revoked]), status: 401 },
      { title: 'role missing', query: '{ admins }', headers: valid, status: 403 },
      { title: 'forged: a signature to verify', headers: toHeaders(forged), status: 401 },
    ];
    const targets: Target[] = [];
    for (const { query = SECURE_QUERY.query, headers, status } of cases) {
      targets.push({
        contender: bandha,
        connections: CONNECTIONS,
        source: repeatRequests(await writeRequests(setup.folder, headers, [{ query }]), headers.length),
        responseBytes: await measureResponse(bandha, query, headers[0] ?? '', status),
        expectsError: status >= 400,
      });
    }
    const [slices = []] = await loadSlices([targets], setup);
    const rows = cases.map(({ title }, i) => {
      const { byCpu, byRequests } = compareSlices(slices[i] ?? [], slices[0] ?? []);
      return [title, cpuMicros(slices[i] ?? []), formatSpread(byRequests), formatSpread(byCpu)];
    });
    const columns = ['CPU time, µs', 'requests/s ÷ accepted', 'CPU time accepted ÷ rejected'];
    return { markdown: formatTable('Reason for the rejection', columns, rows) };
  });
};

async function createRevokedToken(
  { origin }: Contender,
  { emails, password }: { emails: readonly string[]; password: string },
): Promise<string> {
  const client = createClient(origin);
  const { body } = await client.send(LOGIN, { email: emails[0], password });
  const token: string = body.data.login.accessToken;
  await client.send('mutation { logout }', {}, token);
  client.close();
  return token;
}
