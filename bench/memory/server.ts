// A server under attack: its resident memory, and how long a health check takes meanwhile.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CHECK_EVERY_MS = 10;

export interface Attacked {
  port: number;
  rssBytes(): Promise<number>;
  /** Runs `attack` and checks `/health/live` and the memory meanwhile. */
  during(attack: () => Promise<void>): Promise<{ healthMs: number[]; peakBytes: number }>;
  stop(): Promise<void>;
}

/** @param script with its arguments; prints its address */
export async function startAttacked(script: readonly string[], heapMegabytes: number): Promise<Attacked> {
  const child = spawn(process.execPath, script, {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATABASE_URL: 'sqlite::memory:',
      BANDHA_SECRET: 'a secret that only this benchmark knows of',
      NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const port = await new Promise<number>((found, failed) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const address = /http:\/\/localhost:(\d+)\/graphql/.exec(output);
      if (address) found(Number(address[1]));
    });
    child.once('exit', (code) => failed(new Error(`The server ended with ${code}`)));
  });

  async function rssBytes(): Promise<number> {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(child.pid)]);
    return Number(stdout) * 1024;
  }

  return {
    port,
    rssBytes,
    async during(attack) {
      const healthMs: number[] = [];
      let peakBytes = 0;
      let isOver = false;
      const checking = (async () => {
        const agent = new Agent({ keepAlive: true });
        for (let i = 0; !isOver; i += 1) {
          const start = performance.now();
          await checkHealth(port, agent);
          healthMs.push(performance.now() - start);
          if (i % 20 === 0) peakBytes = Math.max(peakBytes, await rssBytes());
          await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
        }
        agent.destroy();
      })();
      try {
        await Promise.race([attack(), checking]);
      } finally {
        isOver = true;
      }
      await checking;
      return { healthMs, peakBytes };
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function checkHealth(port: number, agent: Agent): Promise<void> {
  const [response] = await once(get({ port, host: '127.0.0.1', path: '/health/live', agent }), 'response');
  if (response.statusCode !== 200) throw new Error(`/health/live answers ${response.statusCode}`);
  await once(response.resume(), 'end');
}
