// Arguments of a command, by Node's own parser, with its complaints as usage errors.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './terminal.ts';

/**
 * @param count how many positional arguments the command takes, or from how many to how many
 * @throws UsageError where there are more or fewer, or an option is unknown
 */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { count, options }: { count: number | readonly [number, number]; options: O },
) {
  const parsed = parse(args, options);
  const [least, most] = typeof count === 'number' ? [count, count] : count;
  if (parsed.positionals.length < least) throw new UsageError('An argument is missing.');
  if (parsed.positionals.length > most) throw new UsageError('There are too many arguments.');
  return parsed;
}

function parse<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node adds how to pass an argument that starts with "-", which no command has.
    throw new UsageError(message.replace(/\. To specify .*/s, '.'));
  }
}
