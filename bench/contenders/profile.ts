// Where the processor's time goes, by kind of code.
import { Session } from 'node:inspector/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Share of the time that was not idle, by kind. */
export type Profile = Record<string, number>;

const INTERVAL_MICROS = 200;
const SOCKETS = /^(writev|write\w+String|writeBuffer|readStart|readStop|shutdown)$/;

/** Of a call: the first row that fits. Native functions have no place, and those made of text have none either. */
const KINDS: readonly [kind: string, fits: (functionName: string, url: string) => boolean][] = [
  ['writing to sockets', (name, url) => url === '' && SOCKETS.test(name)],
  ['collecting garbage', (name) => name === '(garbage collector)'],
  ['kernel, libuv, V8', (name) => name === '(program)'],
  ['`node:http` and streams', (_, url) => url.startsWith('node:')],
  ['packages', (_, url) => url.includes('/node_modules/')],
  ['own code', (_, url) => url !== ''],
  ['native functions, compiled queries', () => true],
];

export async function takeProfile(seconds: number): Promise<Profile> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
  await session.post('Profiler.start');
  await wait(seconds * 1000);
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();

  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, number>();
  for (const [i, id] of (profile.samples ?? []).entries()) {
    const { functionName = '', url = '' } = frames.get(id) ?? {};
    if (functionName === '(idle)') continue;
    const kind = KINDS.find(([, fits]) => fits(functionName, url))?.[0] ?? '';
    micros.set(kind, (micros.get(kind) ?? 0) + (profile.timeDeltas?.[i] ?? 0));
  }
  const all = micros.values().reduce((sum, one) => sum + one, 0);
  return Object.fromEntries(KINDS.map(([kind]) => [kind, (micros.get(kind) ?? 0) / all]));
}
