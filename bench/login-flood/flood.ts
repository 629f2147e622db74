// A thread that sends sign-ins at a fixed rate, whether they are answered or not, until it is stopped.
import { parentPort, workerData } from 'node:worker_threads';
import { createSender, type SenderOptions } from './sender.ts';

export interface Flood extends SenderOptions {
  perSecond: number;
}

export interface FloodResult {
  sent: number;
  seconds: number;
  /** How many ended with each code. */
  outcomes: Record<string, number>;
}

const TICK_MS = 10;

const { perSecond, ...options } = workerData as Flood; // as the thread was started with
const sender = createSender(options);
const outcomes: Record<string, number> = {};
const startedAt = performance.now();
let sent = 0;

const timer = setInterval(() => {
  const due = ((performance.now() - startedAt) / 1000) * perSecond;
  for (; sent < due; sent += 1) {
    const guess = { email: `${crypto.randomUUID()}@example.com`, password: 'an honest guess' };
    void sender.send('login', guess).then((outcome) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    });
  }
}, TICK_MS);

parentPort?.once('message', () => {
  clearInterval(timer);
  const result: FloodResult = { sent, seconds: (performance.now() - startedAt) / 1000, outcomes };
  parentPort?.postMessage(result);
  sender.close();
});
