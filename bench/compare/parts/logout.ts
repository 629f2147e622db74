// Time from a logout on one instance until another instance on the same database rejects the token.
import { startPostgres } from '../../../test/support/postgres.ts';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import type { Settings } from '../../contenders/serve.ts';
import { type Client, createClient } from '../../support/http.ts';
import { quantile } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { LOGIN } from '../requests.ts';
import { createIssuer, type Part, type Setup } from '../setup.ts';
import { withBandha } from '../start-contender.ts';

const LOGOUTS = 300;
const LOGOUTS_SHORT = 30;
const GOAL_MS = 50;
const ACCOUNTS = 4;

export const measureLogout: Part = async (setup) => {
  const { settings } = await createIssuer(setup, ACCOUNTS);
  setup.cores.moveTo('all'); // with the database, which this process starts
  const postgres = await startPostgres();
  try {
    const databaseUrl = await postgres.createDatabase();
    const onPostgres = await measureLogouts({ ...settings, databaseUrl }, setup);
    const onSqlite = await measureLogouts(settings, setup);
    const row = (title: string, times: readonly number[]) => [
      title,
      ...[0.5, 0.99, 1].map((share) => quantile(times, share)),
    ];
    const p99 = quantile(onPostgres, 0.99);
    return {
      markdown: formatTable(
        'From sending `logout` to the first rejection by another instance',
        ['p50, ms', 'p99, ms', 'longest, ms'],
        [row('PostgreSQL', onPostgres), row('SQLite, two processes on one file', onSqlite)],
      ),
      goals: [
        {
          what: '`logout` on one instance to rejection on another, p99',
          goal: `at most ${GOAL_MS} ms`,
          figure: `${p99.toFixed(1)} ms`,
          isMet: p99 <= GOAL_MS,
        },
      ],
    };
  } finally {
    await postgres.remove();
    setup.cores.moveTo('load');
  }
};

/** @returns the milliseconds of each logout */
function measureLogouts(settings: Settings, { short, cores, note }: Setup): Promise<number[]> {
  const pin = cores.pinTo('all');
  const withoutAccounts = { ...settings, accounts: { ...settings.accounts, emails: [] } };
  return withBandha(settings, pin, (one) =>
    withBandha(withoutAccounts, pin, async (other) => {
      const clients = [createClient(one.origin), createClient(other.origin)] as const;
      const times: number[] = [];
      for (let i = 0; i < (short ? LOGOUTS_SHORT : LOGOUTS); i += 1) {
        if (i % 50 === 0) note(`logout ${i + 1}`);
        times.push(await measureOne(...clients, settings.accounts, i));
      }
      for (const client of clients) client.close();
      return times;
    }),
  );
}

async function measureOne(
  one: Client,
  other: Client,
  { emails, password }: Settings['accounts'],
  i: number,
): Promise<number> {
  const login = await one.send(LOGIN, { email: emails[i % emails.length], password });
  const token: string = login.body.data.login.accessToken;
  const isAccepted = async () => (await other.send(SECURE_QUERY.query, {}, token)).status === 200;
  if (!(await isAccepted())) throw new Error('The other instance rejects a valid token');
  const startedAt = performance.now();
  const loggingOut = one.send('mutation { logout }', {}, token);
  while (await isAccepted());
  const ms = performance.now() - startedAt;
  if ((await loggingOut).body.data?.logout !== true) throw new Error('The logout failed');
  return ms;
}
