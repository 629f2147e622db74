#!/usr/bin/env node
// The command `bandha`; the only file that reads process.env, but for NODE_ENV, or exits.
import './utils/node-version.ts';
import process from 'node:process';

// After the check of the version: a static import would be linked before it.
const { runCommand } = await import('./commands/run-command.ts');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

// The executor drops promises where a list is left half done; what they reject with concerns a request that has been
// answered, and must not end everybody else's.
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

/** Whether npm runs a script of this package, and not the command in somebody's project. */
function isInCheckout({ npm_package_name, npm_lifecycle_event }: NodeJS.ProcessEnv): boolean {
  return npm_package_name === 'bandha' && ['start', 'bandha', 'dev'].includes(npm_lifecycle_event ?? '');
}
