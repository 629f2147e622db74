// A server under load, in a process of its own. Its argument has the settings as JSON; start-server.ts talks to it.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createBandha } from '../../src/bandha.ts';
import type { Message } from './start-server.ts';

const startedAt = performance.now();
const bandha = await createBandha(JSON.parse(process.argv[2] ?? '{}'));
// Connections stay open while the other servers are under load.
const server = createServer({ keepAliveTimeout: 0 }, bandha.listener).listen(0, '127.0.0.1');
await once(server, 'listening');
const readyMs = performance.now() - startedAt;

async function handle(message: Message): Promise<unknown> {
  if (message.kind === 'usage') {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
  if (message.kind === 'memory') {
    for (let i = 0; i < 3; i += 1) globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  }
  if (message.kind === 'show') return show(message.file);
  server.closeAllConnections();
  server.close();
  return bandha.close();
}

async function show(file: string): Promise<number> {
  let accepted = 0;
  for await (const token of createInterface({ input: createReadStream(file, 'latin1') })) {
    const { principal } = await bandha.authenticate({ authorization: `Bearer ${token}` });
    if (principal !== null) accepted += 1;
  }
  return accepted;
}

// The benchmark has ended without a message.
process.on('disconnect', () => process.exit());
process.on('message', async (message: Message) => {
  process.send?.({ result: await handle(message) });
  if (message.kind === 'stop') process.disconnect?.();
});
process.send?.({ result: { port: (server.address() as AddressInfo).port, readyMs } }); // it listens on TCP
