// How soon a logout on one instance is refused by another one on the same database.
import { startPostgres } from '../../../test/support/postgres.ts';
import { quantile } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { type Client, createClient } from '../clients.ts';
import { kindsOf } from '../contenders.ts';
import { makeRealm, type Realm } from '../realm.ts';
import { LOGIN } from '../requests.ts';
import type { Goal, Part, Setup } from '../setup.ts';
import { startContender, withContenders } from '../start-contender.ts';

const LOGOUTS = 300;
const LOGOUTS_SHORT = 30;
const GOAL_MS = 50;
const ACCOUNTS = 4;
const QUERY = '{ secureData { message } }';

export const measureLogout: Part = async (setup) => {
  const realm = await makeRealm(setup.folder, ACCOUNTS);
  setup.cores.move('all'); // the database too
  const postgres = await startPostgres();
  try {
    const databaseUrl = await postgres.createDatabase();
    const onPostgres = await measureOn({ ...realm.settings, databaseUrl }, setup);
    const onSqlite = await measureOn(realm.settings, setup);
    const row = (title: string, times: readonly number[]) => [
      title,
      ...[0.5, 0.99, 1].map((share) => quantile(times, share)),
    ];
    const p99 = quantile(onPostgres, 0.99);
    const goal: Goal = {
      what: '`logout` on one instance to refusal on another, p99',
      goal: `at most ${GOAL_MS} ms`,
      figure: `${p99.toFixed(1)} ms`,
      met: p99 <= GOAL_MS,
    };
    const markdown = formatTable(
      'From sending `logout` to the first refusal by another instance',
      ['p50, ms', 'p99, ms', 'longest, ms'],
      [row('PostgreSQL', onPostgres), row('SQLite, two processes on one file', onSqlite)],
    );
    return { markdown, goals: [goal] };
  } finally {
    await postgres.remove();
    setup.cores.move('load');
  }
};

/** @returns the milliseconds of each logout */
async function measureOn(settings: Realm['settings'], setup: Setup): Promise<number[]> {
  const [bandha] = kindsOf('bandha');
  if (bandha === undefined) throw new Error('Bandha is no contender');
  // Only the first makes the accounts.
  const instances = [settings.accounts, { ...settings.accounts, emails: [] }];
  let next = 0;
  return withContenders(
    [bandha, bandha],
    (kind) =>
      startContender(
        kind,
        { ...settings, accounts: instances[next++] ?? settings.accounts },
        setup.cores,
        'all',
      ),
    async ([here, there]) => {
      const clients = [createClient(here?.port ?? 0), createClient(there?.port ?? 0)] as const;
      const times: number[] = [];
      for (let i = 0; i < (setup.short ? LOGOUTS_SHORT : LOGOUTS); i += 1) {
        if (i % 50 === 0) setup.note(`logout ${i + 1}`);
        times.push(await logOutOnce(...clients, settings.accounts, i));
      }
      for (const client of clients) client.close();
      return times;
    },
  );
}

async function logOutOnce(
  here: Client,
  there: Client,
  { emails, password }: Realm['settings']['accounts'],
  i: number,
): Promise<number> {
  const login = await here.ask(LOGIN, { email: emails[i % emails.length], password });
  const token: string = login.body.data.login.accessToken;
  const isAccepted = async () => (await there.ask(QUERY, {}, token)).status === 200;
  if (!(await isAccepted())) throw new Error('The other instance refuses a good token');
  const startedAt = performance.now();
  const loggedOut = here.ask('mutation { logout }', {}, token);
  while (await isAccepted());
  const time = performance.now() - startedAt;
  if ((await loggedOut).body.data?.logout !== true) throw new Error('The logout has failed');
  return time;
}
