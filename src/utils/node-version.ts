// Ends the process with one sentence if Node is too old, before code runs that an older Node does not support.
import process, { exit } from 'node:process';

const OLDEST_MAJOR = 24;

/**
 * @param version such as `v22.11.0`
 * @returns the issue; undefined if the version is supported
 */
export function findVersionIssue(version: string): string | undefined {
  const major = Number(/^v?(\d+)\./.exec(version)?.[1]);
  return major >= OLDEST_MAJOR ? undefined : `Bandha needs Node ${OLDEST_MAJOR} or later; this is ${version}`;
}

// Each entry imports this file first. It exits, because an error would be printed with its stack, or caught only to fail later.
const issue = findVersionIssue(process.version);
if (issue !== undefined) {
  process.stderr.write(`${issue}\n`);
  exit(2);
}
