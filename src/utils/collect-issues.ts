// Reports the issues of several checks in one error.
import { ConfigError } from '../errors.ts';

/**
 * Runs every parser, also if one before it has failed.
 *
 * @throws {@link ConfigError} with the issues of all parsers, in their order; any other error at once
 */
export function parseAll<Parsers extends Record<string, () => unknown>>(
  parsers: Parsers,
): { [Name in keyof Parsers]: ReturnType<Parsers[Name]> } {
  const issues: string[] = [];
  const entries = Object.entries(parsers).map(([name, parse]) => {
    try {
      return [name, parse()];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
      return [name, undefined];
    }
  });
  if (issues.length > 0) throw new ConfigError(issues);
  return Object.fromEntries(entries); // the names of the parsers with their results
}
