// A thread that sends sign-ins at a fixed rate, without waiting for responses, until it is stopped.
import { parentPort, workerData } from 'node:worker_threads';
import { type ClientOptions, createClient, type GraphqlResponse } from '../support/http.ts';

export interface Flood extends ClientOptions {
  origin: string;
  perSecond: number;
}

export interface FloodResult {
  sent: number;
  seconds: number;
  /** Number of sign-ins by outcome. */
  outcomes: Record<string, number>;
}

export const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { tokenType }
}`;
const TICK_MS = 10;

/** @returns `OK`, the code of the response's error, or that of the connection's */
export async function toOutcome(response: Promise<GraphqlResponse>): Promise<string> {
  try {
    const { body } = await response;
    return body.data ? 'OK' : body.errors[0].extensions.code;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error); // an error of Node or of the parser
  }
}

if (parentPort !== null) sendUntilMessage(workerData);

function sendUntilMessage({ origin, perSecond, ...options }: Flood): void {
  const client = createClient(origin, options);
  const outcomes: Record<string, number> = {};
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; sent < due; sent += 1) {
      const guess = { email: `${crypto.randomUUID()}@example.com`, password: 'a plausible password' };
      void toOutcome(client.send(LOGIN, guess)).then((outcome) => {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      });
    }
  }, TICK_MS);
  parentPort?.once('message', () => {
    clearInterval(timer);
    const result: FloodResult = { sent, seconds: (performance.now() - startedAt) / 1000, outcomes };
    parentPort?.postMessage(result);
    client.close();
  });
}
