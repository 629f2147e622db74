// Ends the process with one sentence if Node is too old, before anything that an older Node does not have.
import process, { exit } from 'node:process';

const OLDEST_MAJOR = 24;

/** @returns what is wrong with the version, such as `v22.11.0`; undefined if nothing is */
export function findVersionIssue(version: string): string | undefined {
  const major = Number(/^v?(\d+)\./.exec(version)?.[1]);
  return major >= OLDEST_MAJOR ? undefined : `Bandha needs Node ${OLDEST_MAJOR} or later; this is ${version}`;
}

// The first import of each entry. An error would be printed with its stack, and could be caught only to fail later.
const issue = findVersionIssue(process.version);
if (issue !== undefined) {
  process.stderr.write(`${issue}\n`);
  exit(2);
}
