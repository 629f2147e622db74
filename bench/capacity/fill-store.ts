// Fills the tables of a store directly: a million sessions in seconds.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { Postgres } from '../../test/support/postgres.ts';

export interface Filling {
  sessions: number;
  /** The first sessions are revoked, with their rows in `changes`. */
  revoked: number;
  /** Revocations are spread over these seconds before now. */
  revokedWithinSeconds: number;
  now: Date;
}

export const SESSIONS_PER_USER = 2;
const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const IP_ADDRESS = '203.0.113.147';
const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyEh$dGhpcnR5LXR3byBieXRlcyBvZiBhIGhhc2gsIGFzIGxvbmc';
const USER_COLUMNS = 'id, email, email_key, password_hash, roles, created_at';
const SESSION_COLUMNS =
  'id, user_id, created_at, authenticated_at, last_used_at, expires_at, revoked_at, user_agent, ip_address, generation';
const DAY_MS = 24 * 60 * 60 * 1000;

/** The id of the nth user or session: without order for an index, but computable. */
export function idOf(kind: 'user' | 'session', index: number): string {
  const hex = createHash('md5').update(`${kind} ${index}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function emailOf(index: number): string {
  return `user-${index}@example.com`;
}

export function userOf(session: number): number {
  return Math.floor(session / SESSIONS_PER_USER);
}

/** @param path of a file that `openStore` created and closed */
export function fillSqlite(path: string, filling: Filling): void {
  const now = filling.now.getTime();
  const sqlite = new DatabaseSync(path);
  try {
    sqlite.exec('pragma synchronous = off; pragma cache_size = -200000; begin');
    const insertUser = sqlite.prepare(`insert into users (${USER_COLUMNS}) values (?, ?, ?, ?, ?, ?)`);
    for (let i = 0; i <= userOf(filling.sessions); i += 1) {
      insertUser.run(idOf('user', i), emailOf(i), emailOf(i), PASSWORD_HASH, '[]', now - DAY_MS);
    }
    const insertSession = sqlite.prepare(
      `insert into sessions (${SESSION_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
    );
    const insertChange = sqlite.prepare('insert into changes (kind, subject, made_at) values (?, ?, ?)');
    for (let i = 0; i < filling.sessions; i += 1) {
      const id = idOf('session', i);
      const revokedAt = i < filling.revoked ? revocationOf(i, filling) : null;
      const times = [now - DAY_MS, now - DAY_MS, now - (i % 3600) * 1000, now + 29 * DAY_MS, revokedAt];
      insertSession.run(id, idOf('user', userOf(i)), ...times, USER_AGENT, IP_ADDRESS);
      if (revokedAt !== null) insertChange.run('SESSION_REVOKED', id, revokedAt);
    }
    sqlite.exec('commit; pragma wal_checkpoint(truncate); analyze');
  } finally {
    sqlite.close();
  }
}

/** @param url of a database with the tables of `openStore` */
export async function fillPostgres(postgres: Postgres, url: string, filling: Filling): Promise<void> {
  const { sessions, revoked } = filling;
  const now = filling.now.getTime();
  const id = (kind: string, index: string) => `md5('${kind} ' || ${index})::uuid::text`;
  const users = userOf(sessions);
  const steps = [
    `insert into users (${USER_COLUMNS})
      select ${id('user', 'i')}, 'user-' || i || '@example.com', 'user-' || i || '@example.com',
        '${PASSWORD_HASH}', '[]', ${now - DAY_MS}
      from generate_series(0, ${users}) as i`,
    `insert into sessions (${SESSION_COLUMNS})
      select ${id('session', 'i')}, ${id('user', `i / ${SESSIONS_PER_USER}`)}, ${now - DAY_MS}, ${now - DAY_MS},
        ${now} - (i % 3600) * 1000, ${now + 29 * DAY_MS},
        case when i < ${revoked} then ${revocationInSql(filling)} end, '${USER_AGENT}', '${IP_ADDRESS}', 1
      from generate_series(0, ${sessions - 1}) as i`,
    `insert into changes (kind, subject, made_at)
      select 'SESSION_REVOKED', ${id('session', 'i')}, ${revocationInSql(filling)}
      from generate_series(0, ${revoked - 1}) as i`,
    'vacuum (freeze, analyze)',
    'checkpoint',
  ];
  for (const step of steps) await postgres.query(url, step);
}

/** The first session was revoked first. */
function revocationOf(index: number, { now, revoked, revokedWithinSeconds }: Filling): number {
  return now.getTime() - Math.floor(((revoked - index) * revokedWithinSeconds * 1000) / revoked);
}

function revocationInSql({ now, revoked, revokedWithinSeconds }: Filling): string {
  return `${now.getTime()} - (${revoked} - i::bigint) * ${revokedWithinSeconds * 1000} / ${Math.max(1, revoked)}`;
}
