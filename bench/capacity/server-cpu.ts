// CPU time of a PostgreSQL server: its postmaster and all processes that it started. Linux only.
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

/** Fields of /proc/<pid>/stat, counted after the name in brackets (proc(5)). */
const FIELDS = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 };
/** The kernel's unit in that file is 1/100 s on every platform that Node runs on. */
const MICROS_PER_TICK = 10_000;

/** @returns a function that reads the microseconds so far; undefined without /proc */
export async function createServerCpu(url: string): Promise<(() => number) | undefined> {
  if (process.platform !== 'linux') return undefined;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select pg_backend_pid() as pid');
  const postmaster = readStat(rows[0].pid)?.[FIELDS.parent];
  await client.end();
  if (postmaster === undefined) return undefined;

  return () => {
    const own = readStat(postmaster);
    let ticks = sum(own, [FIELDS.user, FIELDS.system, FIELDS.childrenUser, FIELDS.childrenSystem]);
    for (const name of readdirSync('/proc')) {
      const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
      if (stat?.[FIELDS.parent] === postmaster) ticks += sum(stat, [FIELDS.user, FIELDS.system]);
    }
    return ticks * MICROS_PER_TICK;
  };
}

/** Undefined if the process has ended. */
function readStat(pid: number): number[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}

function sum(stat: readonly number[] = [], fields: readonly number[]): number {
  return fields.reduce((total, field) => total + (stat[field] ?? 0), 0);
}
