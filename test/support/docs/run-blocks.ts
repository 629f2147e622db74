// Runs the code blocks of documentation pages as they stand: shell sessions against a server, programs in a folder of their own.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { fileNameOf, listEntries } from './check-typescript.ts';
import { type CodeBlock, ROOT } from './pages.ts';

/** The sessions need bash and curl, which a machine with Node and npm may lack. */
export const hasShell = ['bash', 'curl'].every((program) => spawnSync(program, ['--version']).status === 0);

export interface SessionOptions {
  url: string;
  env?: Record<string, string>;
  /** Working directory of the commands. */
  cwd?: string;
}

/**
 * Runs shell blocks in one session. `localhost:4000` reaches `url`, and `npm run -s bandha --` and `npx bandha` are the command
 * of this checkout.
 * @returns what each block printed
 */
export async function runSession(
  blocks: readonly CodeBlock[],
  { url, env, cwd }: SessionOptions,
): Promise<string[]> {
  const script = [
    'set -euo pipefail',
    `curl() { command curl "\${@//localhost:4000/${new URL(url).host}}"; }`,
    `npx() { shift 1; ${JSON.stringify(process.execPath)} ${JSON.stringify(join(ROOT, 'src/cli.ts'))} "$@"; }`,
    `npm() { shift 3; npx "$@"; }`, // npm run -s bandha -- …
    ...blocks.map(({ code }) => `${code}\necho '${SEPARATOR}'`),
  ].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    env: { ...process.env, ...env },
    cwd,
  });
  return stdout
    .split(`${SEPARATOR}\n`)
    .slice(0, -1)
    .map((text) => text.trim());
}

const SEPARATOR = '-- end of the block --';

export interface Workspace {
  folder: string;
  /** @returns the file's name */
  write(block: CodeBlock): string;
  remove(): void;
}

/** A project in which `bandha` is installed: its sources, with the other packages of this checkout beside it. */
export function createWorkspace(packages: readonly string[]): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'bandha-docs-'));
  const bandha = join(folder, 'node_modules/bandha');
  mkdirSync(bandha, { recursive: true });
  // Node strips types of files outside of node_modules, which the target of the link is.
  symlinkSync(join(ROOT, 'src'), join(bandha, 'src'));
  const exports = Object.fromEntries(
    Object.entries(listEntries()).map(([name, path]) => [
      name.replace('bandha', '.'),
      `./${relative(ROOT, path)}`,
    ]),
  );
  writeFileSync(join(bandha, 'package.json'), JSON.stringify({ name: 'bandha', type: 'module', exports }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of packages) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return {
    folder,
    write(block) {
      const file = fileNameOf(block);
      writeFileSync(join(folder, file), block.code);
      return file;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface RunningProgram {
  url: string;
  stop(): Promise<void>;
}

/** Runs a block that is a server with `node`, until it accepts requests; on a free port in place of 4000. */
export async function startServer(workspace: Workspace, block: CodeBlock): Promise<RunningProgram> {
  const { folder } = workspace;
  const port = await findFreePort();
  const file = workspace.write({ ...block, code: block.code.replaceAll('listen(4000', `listen(${port}`) });
  const url = `http://127.0.0.1:${port}`;
  const env = { PATH: process.env.PATH, HOME: folder, PORT: String(port) };
  const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await vi
    .waitFor(() => fetch(url, { signal: AbortSignal.timeout(1_000) }), { timeout: 30_000 })
    .catch(() => {
      child.kill();
      throw new Error(`${file} does not serve at ${url} (exit code ${child.exitCode}):\n${output}`);
    });
  return {
    url,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}
