// Growth with sessions, revocations and cached tokens: a bench of its own, which this one calls.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Goal, Part } from '../setup.ts';

const SCRIPT = resolve(import.meta.dirname, '../../capacity/growth.ts');
const SHORT_ROUNDS = '10';
const SHORT_SHARE = '0.01';
const GOAL_PERCENT = 10;

export const measureGrowth: Part = async ({ cores, short, note }) => {
  note('npm run capacity:growth --workspace bench');
  const size = short ? [SHORT_ROUNDS, SHORT_SHARE] : [];
  const [file = '', ...args] = cores.on('all', [process.execPath, SCRIPT, ...size]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const markdown = (await text(child.stdout)).trim();
  const [, figure, direction] =
    /^SQLite: on the full store a request takes ([\d.]+) % (less|more) CPU/m.exec(markdown) ?? [];
  const percent = direction === 'less' ? -Number(figure) : Number(figure);
  if (Number.isNaN(percent))
    throw new Error(`bench:growth said nothing of what a request costs:\n${markdown}`);
  const goal: Goal = {
    what: `CPU of a protected request with ${short ? 'a hundredth of ' : ''}1,000,000 sessions, 100,000 revoked, 100,000 tokens cached, against an empty store`,
    goal: `within ${GOAL_PERCENT} %`,
    figure: `${percent > 0 ? '+' : ''}${percent} %`,
    met: percent <= GOAL_PERCENT,
  };
  return { markdown, goals: [goal] };
};
