// A process of its own that works on a store: several of them meet at one moment.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const urlOf = (file: string) => JSON.stringify(new URL(`../../src/storage/${file}`, import.meta.url).href);

export interface PreparedProcess {
  /** Runs the script to its end. */
  run(): Promise<{ code: number | null; signal: NodeJS.Signals | null; fault: string }>;
}

/** A process that has loaded the sources and runs `script` when told to, with `openStore` and the store's `url`. */
export async function prepareProcess(script: string, url: string): Promise<PreparedProcess> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { once } from 'node:events';
       import { openStore } from ${urlOf('open-store.ts')};
       import ${urlOf(url.startsWith('sqlite:') ? 'sqlite/engine.ts' : 'postgres/engine.ts')};
       const url = process.argv[1];
       process.stdout.write('ready');
       await once(process.stdin, 'data');
       process.stdin.destroy();
       ${script}`,
      url,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child.stdout, 'data');
  return {
    async run() {
      const ended = once(child, 'close');
      child.stdin.write('go');
      const [code, signal] = await ended;
      return { code, signal, fault: /^.*Error:.*$/m.exec(stderr)?.[0] ?? '' };
    },
  };
}
