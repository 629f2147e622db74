// Parses the arguments of a command with Node's parser.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './terminal.ts';

/**
 * @param count number of positional arguments, or minimum and maximum
 * @throws UsageError if there are more or fewer, or an option is unknown
 */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { count, options }: { count: number | readonly [min: number, max: number]; options: O },
) {
  const parsed = parse(args, options);
  const [min, max] = typeof count === 'number' ? [count, count] : count;
  if (parsed.positionals.length < min) throw new UsageError('Missing argument.');
  if (parsed.positionals.length > max) throw new UsageError('Too many arguments.');
  return parsed;
}

function parse<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Removes Node's advice on arguments that start with "-", which no command takes.
    throw new UsageError(message.replace(/\. To specify .*/s, '.'));
  }
}
