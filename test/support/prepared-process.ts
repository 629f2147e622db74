// Prepares a process that uses a store, so that several can start their work at the same moment.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const toModuleUrl = (file: string) =>
  JSON.stringify(new URL(`../../src/storage/${file}`, import.meta.url).href);

export interface PreparedProcess {
  /** Runs the script. @returns how it ended; `error` is the line of an uncaught error, or '' */
  run(): Promise<{ code: number | null; signal: NodeJS.Signals | null; error: string }>;
}

/** Starts a process that has loaded the sources and waits for `run`. The script can use `openStore` and `url`. */
export async function prepareProcess(script: string, url: string): Promise<PreparedProcess> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { once } from 'node:events';
       import { openStore } from ${toModuleUrl('open-store.ts')};
       import ${toModuleUrl(url.startsWith('sqlite:') ? 'sqlite/engine.ts' : 'postgres/engine.ts')};
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
      return { code, signal, error: /^.*Error:.*$/m.exec(stderr)?.[0] ?? '' };
    },
  };
}
