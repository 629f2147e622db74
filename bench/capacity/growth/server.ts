// One of the servers under load. Started with its settings as JSON; answers questions over IPC.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { createBandha } from '../../../src/bandha.ts';
import type { Answer, Question, Settings } from './start-server.ts';

/** What an entry of type `gc` is. */
type GarbageCollection = PerformanceEntry & { detail: { kind: number } };

const settings: Settings = JSON.parse(process.argv[2] ?? '{}');
const startedAt = performance.now();
const bandha = await createBandha(settings);
// The connections wait while the other servers are under load.
const server = createServer({ keepAliveTimeout: 0 }, bandha.listener).listen(0, '127.0.0.1');
await once(server, 'listening');
const readyMs = performance.now() - startedAt;

const collections = { major: 0, majorMs: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries() as GarbageCollection[]) {
    if (entry.detail.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
    collections.major += 1;
    collections.majorMs += entry.duration;
  }
}).observe({ entryTypes: ['gc'] });

const answers: { [K in Question['kind']]: (question: Extract<Question, { kind: K }>) => Promise<Answer[K]> } =
  {
    async usage() {
      const { user, system } = process.cpuUsage();
      return { cpuMicros: user + system, ...collections };
    },
    async memory() {
      for (let i = 0; i < 3; i += 1) globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapUsed, rss };
    },
    async warm({ file }) {
      let accepted = 0;
      for await (const token of createInterface({ input: createReadStream(file, 'latin1') })) {
        const { principal } = await bandha.authenticate({ authorization: `Bearer ${token}` });
        if (principal !== null) accepted += 1;
      }
      return accepted;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await bandha.close();
      return null;
    },
  };

// Whoever asks is gone: nobody is left to stop it.
process.on('disconnect', () => process.exit());
process.on('message', async (question: Question) => {
  // The row is of the question's own kind.
  const answer = await (answers[question.kind] as (question: Question) => Promise<unknown>)(question);
  process.send?.({ answer });
  if (question.kind === 'stop') process.disconnect?.();
});
process.send?.({ answer: { port: (server.address() as AddressInfo).port, readyMs } }); // it listens
