// Compares Bandha with other servers, in parts, and with its goals.
// Run: npm run bench [-- --only 1,3] [--short]   A short run takes a few minutes and does not change bench/README.md.
import { parseArgs } from 'node:util';
import { withFolder } from '../test/support/server-process.ts';
import { takeCores } from './compare/cores.ts';
import { findGenerator } from './compare/generator.ts';
import { installContenders } from './compare/install-contenders.ts';
import { measureEndurance } from './compare/parts/endurance.ts';
import { measureLoginStorm } from './compare/parts/login-storm.ts';
import { measureLogout } from './compare/parts/logout.ts';
import { measureNewTokens, measureProtected } from './compare/parts/protected.ts';
import { measureQuerySize } from './compare/parts/query-size.ts';
import { measureRejections } from './compare/parts/rejections.ts';
import { measureSignIns } from './compare/parts/sign-ins.ts';
import { measureStartUp } from './compare/parts/start-up.ts';
import type { Part } from './compare/setup.ts';
import { formatGoals, type Goal, writeGoals, writeSection } from './support/report.ts';

const PARTS: readonly { title: string; measure: Part }[] = [
  { title: 'Protected query', measure: measureProtected },
  { title: 'New tokens', measure: measureNewTokens },
  { title: 'Login storm', measure: measureLoginStorm },
  { title: 'Logins and refreshes', measure: measureSignIns },
  { title: 'Query size', measure: measureQuerySize },
  { title: 'Start-up and memory', measure: measureStartUp },
  { title: 'Logout across instances', measure: measureLogout },
  { title: 'Endurance', measure: measureEndurance },
  { title: 'Rejected requests', measure: measureRejections },
];
const SLICE_SECONDS = 1;

const { values } = parseArgs({ options: { only: { type: 'string' }, short: { type: 'boolean' } } });
const { only, short = false } = values;
const selected = new Set(only?.split(',').map(Number) ?? PARTS.keys().map((i) => i + 1));
if ([...selected].some((number) => PARTS[number - 1] === undefined)) {
  throw new Error(`--only: must be numbers from 1 to ${PARTS.length}, separated by commas`);
}

installContenders();
const cores = takeCores();
const generator = findGenerator();
const rounds = short ? 3 : 7;
const conditions = [
  `${cores.count} cores`,
  `Node ${process.versions.node}`,
  generator.name,
  `${rounds} rounds`,
  cores.isPinned ? 'servers on one core, load on another' : 'no taskset: processes are not pinned to cores',
].join(', ');
console.log(conditions);

const goals: Goal[] = [];
await withFolder(async (folder) => {
  for (const [i, { title, measure }] of PARTS.entries()) {
    if (!selected.has(i + 1)) continue;
    const result = await measure({
      short,
      rounds,
      warmUpSlices: short ? 2 : 3,
      seconds: SLICE_SECONDS,
      generator,
      cores,
      folder,
      note: (progress) => console.error(`${i + 1}. ${title}: ${progress}`),
    });
    console.log(`\n## ${i + 1}. ${title}\n\n${result.markdown}`);
    goals.push(...(result.goals ?? []));
    const section = `${result.markdown}\n\nPrinted on ${conditions}.`;
    if (!short) await writeSection('bench/README.md', String(i + 1), section);
  }
});
if (goals.length > 0) {
  console.log(`\n## Goals\n\n${formatGoals(goals)}`);
  if (!short) await writeGoals(goals);
}
