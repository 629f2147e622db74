// The comparison with peers, and the goals. Run: npm run bench [-- --only 1,3] [--short]
// A short run takes a few minutes and leaves bench/README.md as it is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takeCores } from './compare/cores.ts';
import { findGenerator } from './compare/generator.ts';
import { installContenders } from './compare/install-contenders.ts';
import { measureEndurance } from './compare/parts/endurance.ts';
import { measureLoginStorm } from './compare/parts/login-storm.ts';
import { measureLogout } from './compare/parts/logout.ts';
import { measureProfile } from './compare/parts/profile.ts';
import { measureCold, measureProtected } from './compare/parts/protected.ts';
import { measureQuerySize } from './compare/parts/query-size.ts';
import { measureRefusals } from './compare/parts/refusals.ts';
import { measureSignIns } from './compare/parts/sign-ins.ts';
import { measureStartUp } from './compare/parts/start-up.ts';
import { formatGoals, writeGoals, writeResult } from './compare/report.ts';
import type { Goal, Part, Setup } from './compare/setup.ts';

const PARTS: readonly { title: string; measure: Part }[] = [
  { title: 'Protected query', measure: measureProtected },
  { title: 'Tokens never seen before', measure: measureCold },
  { title: 'Login storm', measure: measureLoginStorm },
  { title: 'Logins and refreshes', measure: measureSignIns },
  { title: 'Query size', measure: measureQuerySize },
  { title: 'Start-up and memory', measure: measureStartUp },
  { title: 'Logout across instances', measure: measureLogout },
  { title: 'Endurance', measure: measureEndurance },
  { title: 'Refusals', measure: measureRefusals },
  { title: 'Where the time goes', measure: measureProfile },
];
const ROUNDS = 7;
const SHORT_ROUNDS = 3;
const WARM_UP_SLICES = 3;
const SHORT_WARM_UP_SLICES = 2;
const SLICE_SECONDS = 1;

const { values } = parseArgs({ options: { only: { type: 'string' }, short: { type: 'boolean' } } });
const { only, short = false } = values;
const chosen = new Set(only?.split(',').map(Number) ?? PARTS.keys().map((i) => i + 1));
const unknown = [...chosen].filter((number) => PARTS[number - 1] === undefined);
if (unknown.length > 0)
  throw new Error(`--only takes numbers from 1 to ${PARTS.length}, with commas between`);

installContenders();
const cores = takeCores();
const generator = findGenerator();
const folder = await mkdtemp(join(tmpdir(), 'bandha-bench-'));
const rounds = short ? SHORT_ROUNDS : ROUNDS;
const conditions = [
  `${cores.count} cores`,
  `Node ${process.versions.node}`,
  generator.name,
  `${rounds} rounds`,
  cores.pinned ? 'servers on one core, load on another' : 'no taskset: nobody is held to a core',
].join(', ');
console.log(conditions);

const goals: Goal[] = [];
try {
  for (const [i, { title, measure }] of PARTS.entries()) {
    if (!chosen.has(i + 1)) continue;
    const note = (progress: string) => console.error(`${i + 1}. ${title}: ${progress}`);
    const setup: Setup = {
      short,
      rounds,
      warmUpSlices: short ? SHORT_WARM_UP_SLICES : WARM_UP_SLICES,
      seconds: SLICE_SECONDS,
      generator,
      cores,
      folder,
      note,
    };
    const result = await measure(setup);
    const markdown = `${result.markdown}\n\nPrinted on ${conditions}.`;
    console.log(`\n## ${i + 1}. ${title}\n\n${result.markdown}`);
    goals.push(...(result.goals ?? []));
    if (!short) await writeResult(String(i + 1), { ...result, markdown });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (goals.length > 0) {
  console.log(`\n## Goals\n\n${formatGoals(goals)}`);
  if (!short) await writeGoals(goals);
}
