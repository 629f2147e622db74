// Who runs on which core: servers on one, the load and whoever measures on another.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** `all`: every core there is. */
export type Place = 'server' | 'load' | 'all';

export interface Cores {
  /** Whether processes can be held to a core. */
  pinned: boolean;
  count: number;
  /** The command that runs `command` there. */
  on(place: Place, command: readonly string[]): string[];
  /** Holds this process, and what it starts from now on, there; at first it is with the load. */
  move(place: Place): void;
}

export function takeCores(): Cores {
  const count = availableParallelism();
  const all = allowedCores();
  const [server, load] = all;
  if (server === undefined || load === undefined) {
    return { pinned: false, count, on: (_place, command) => [...command], move() {} };
  }
  const lists: Record<Place, string> = { server, load, all: all.join(',') };
  const cores: Cores = {
    pinned: true,
    count,
    on: (place, command) => ['taskset', '-c', lists[place], ...command],
    move: (place) => void spawnSync('taskset', ['-acp', lists[place], String(process.pid)]),
  };
  cores.move('load');
  return cores;
}

/** Empty where the system cannot hold a process to a core. */
function allowedCores(): string[] {
  if (spawnSync('taskset', ['--version']).status !== 0) return [];
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
  });
}
