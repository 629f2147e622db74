#!/usr/bin/env node
// Entry of the command `bandha`. Only this file reads process.env (createBandha reads NODE_ENV) and sets the exit code.
import './utils/node-version.ts';
import process from 'node:process';

// Imported dynamically so that the check of the Node version runs first: static imports are loaded before any code runs.
const { runCommand } = await import('./commands/run-command.ts');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

// The executor abandons the pending promises of a list when one item fails. Their later rejections belong to a request that
// already has its response, and must not end the process for all other requests.
process.on('unhandledRejection', (error) => {
  process.stderr.write(
    `Unhandled rejection: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
});

process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  program: isInCheckout(process.env) ? 'npm run bandha --' : 'bandha',
  stop: stop.signal,
});

/** Whether npm runs a script of this package, as opposed to the command of an installed package. */
function isInCheckout({ npm_package_name, npm_lifecycle_event }: NodeJS.ProcessEnv): boolean {
  return npm_package_name === 'bandha' && ['start', 'bandha', 'dev'].includes(npm_lifecycle_event ?? '');
}
