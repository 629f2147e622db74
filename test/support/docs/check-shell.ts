// Checks `sh` blocks and inline commands of documentation pages: scripts, commands, options, paths and variables exist.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { runCommand } from '../../../src/commands/run-command.ts';
import { loadConfig } from '../../../src/config/env.ts';
import { ConfigError } from '../../../src/errors.ts';
import { ROOT } from './pages.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** @param workspace its folder */
function readScripts(workspace: string): object {
  const path = join(ROOT, workspace, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).scripts : {};
}

/** @returns what is wrong with a script, without its place */
export function findShellErrors(code: string): string[] {
  return [...findSyntaxErrors(code), ...findCommandErrors(code)];
}

function findSyntaxErrors(code: string): string[] {
  try {
    execFileSync('bash', ['-n'], { input: code, stdio: ['pipe', 'ignore', 'pipe'] });
    return [];
  } catch (error) {
    return [String((error as { stderr: Buffer }).stderr).trim()]; // of execFileSync
  }
}

/** Also for a command in inline code, which need not be a complete script. */
export function findCommandErrors(code: string): string[] {
  return splitCommands(code).flatMap((words) => [
    ...findScriptErrors(words),
    ...findBandhaErrors(words),
    ...words.flatMap(findPathErrors),
  ]);
}

/** Simple commands as words; quotes stay in the words, comments and leading assignments are left out. */
function splitCommands(code: string): string[][] {
  return code
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/\|\||&&|[|;&()`{}]/))
    .map((command) => command.trim().split(/\s+/))
    .map((words) =>
      words.slice(
        Math.max(
          0,
          words.findIndex((word) => !/^\w+=|^(exec|sudo|time)$/.test(word)),
        ),
      ),
    )
    .filter(([first]) => first !== undefined && first !== '');
}

function findScriptErrors([program, ...words]: readonly string[]): string[] {
  if (program !== 'npm') return [];
  const [name, script] = words.filter((word) => !word.startsWith('-'));
  const wanted = name === 'run' ? script : name === 'test' || name === 'start' ? name : undefined;
  const workspace = words.find((_, index) => words[index - 1] === '--workspace') ?? '.';
  return wanted === undefined || wanted in readScripts(workspace)
    ? []
    : [`npm run ${wanted}: package.json has no such script`];
}

const WAYS = ['npx bandha', 'npm run bandha --', 'npm run -s bandha --', 'bandha'];

function findBandhaErrors(words: readonly string[]): string[] {
  const command = words.join(' ');
  const way = WAYS.find((start) => command === start || command.startsWith(`${start} `));
  if (way === undefined) return [];
  const rest = command
    .slice(way.length)
    .trim()
    .split(/[\s[\]]+/);
  const name = [3, 2, 1].map((count) => rest.slice(0, count).join(' ')).find((words) => commands.has(words));
  if (name === undefined)
    return /^(|--help|<.*)$/.test(rest[0] ?? '') ? [] : [`bandha ${rest.join(' ')}: no such command`];
  return rest
    .filter((word) => word.startsWith('--'))
    .map((word) => word.replace(/^--([\w-]+).*$/, '$1'))
    .filter((option) => !options.has(option))
    .map((option) => `bandha ${name}: no such option --${option}`);
}

/** Names of the command table, from the help that `bandha --help` prints. */
async function readCommands(): Promise<Set<string>> {
  let help = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      help += chunk;
      done();
    },
  });
  await runCommand(['--help'], {
    env: {},
    stdin: Readable.from([]),
    stdout,
    stderr: stdout,
    program: 'bandha',
    stop: AbortSignal.abort(),
  });
  const names = [...help.matchAll(/^ {2}bandha ([a-z]+(?: [a-z]+)*)/gm)].map(([, name = '']) => name);
  if (names.length < 10) throw new Error(`The help of the command has changed:\n${help}`);
  return new Set(names);
}

const commands = await readCommands();

/** Options of every command, from the calls of `parseArguments`. */
const options = new Set(
  readdirSync(join(ROOT, 'src/commands'))
    .map((file) => readFileSync(join(ROOT, 'src/commands', file), 'utf8'))
    .flatMap((text) => [...text.matchAll(/'?([\w-]+)'?: \{ type: '(?:boolean|string)'/g)])
    .map(([, name = '']) => name),
);

const FOLDERS = new Set(
  readdirSync(ROOT).filter((name) => !/^(node_modules|dist|\.git|\.bandha)$/.test(name)),
);

/** Paths into this repository must exist; those of the reader's machine cannot be checked. */
function findPathErrors(word: string): string[] {
  const path = word.replaceAll(/^["']|["']$/g, '').replace(/^\.\//, '');
  const [, tarball] = /(?:^|\/)(bandha-[\d.]+\.tgz)$/.exec(path) ?? []; // may be in a folder of the reader's machine
  if (tarball !== undefined) {
    return tarball === `bandha-${version}.tgz` ? [] : [`${word}: npm pack makes bandha-${version}.tgz`];
  }
  if (!path.includes('/') || !FOLDERS.has(path.split('/')[0] ?? '')) return [];
  return existsSync(join(ROOT, path)) ? [] : [`${word}: no such file`];
}

/** @returns the names of `BANDHA_*` variables in a text that the configuration does not know */
export function findUnknownVariables(text: string): string[] {
  const names = new Set([...text.matchAll(/(?<![A-Z_])BANDHA_[A-Z]+(?:_[A-Z]+)*/g)].map(([name]) => name));
  return [...names].filter((name) => issuesOf(name).includes(UNKNOWN.replaceAll(UNKNOWN_NAME, name)));
}

function issuesOf(variable: string): readonly string[] {
  try {
    loadConfig({ [variable]: 'x' });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

const UNKNOWN_NAME = 'BANDHA_UNKNOWN';
const UNKNOWN = issuesOf(UNKNOWN_NAME)[0] ?? '';
