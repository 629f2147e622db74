// Arguments of a command, by Node's own parser, with its complaints as usage errors.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './terminal.ts';

/**
 * @param count how many positional arguments the command takes
 * @throws UsageError where there are more or fewer, or an option is unknown
 */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { count, options }: { count: number; options: O },
) {
  const parsed = parse(args, options);
  if (parsed.positionals.length !== count) {
    throw new UsageError(
      parsed.positionals.length < count ? 'An argument is missing.' : 'There are too many arguments.',
    );
  }
  return parsed;
}

function parse<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
