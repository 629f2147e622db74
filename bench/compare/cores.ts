// Pins processes to cores: servers to one, the load and this process to another.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** `all`: not pinned to one core. */
export type CoreSet = 'server' | 'load' | 'all';

export type Pin = (command: readonly string[]) => readonly string[];

export interface Cores {
  isPinned: boolean;
  count: number;
  /** @returns a function that extends a command so that it runs on these cores */
  pinTo(set: CoreSet): Pin;
  /** Moves this process and its future children; at first they are with the load. */
  moveTo(set: CoreSet): void;
}

export function takeCores(): Cores {
  const count = availableParallelism();
  const all = listAllowedCores();
  const [server, load] = all;
  if (server === undefined || load === undefined) {
    return { isPinned: false, count, pinTo: () => (command) => command, moveTo() {} };
  }
  const lists: Record<CoreSet, string> = { server, load, all: all.join(',') };
  const cores: Cores = {
    isPinned: true,
    count,
    pinTo: (set) => (command) => ['taskset', '-c', lists[set], ...command],
    moveTo: (set) => void spawnSync('taskset', ['-acp', lists[set], String(process.pid)]),
  };
  cores.moveTo('load');
  return cores;
}

/** Empty if the system has no taskset. */
function listAllowedCores(): string[] {
  if (spawnSync('taskset', ['--version']).status !== 0) return [];
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
  });
}
