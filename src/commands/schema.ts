// The command `bandha schema`.
import { readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { GraphQLError, type GraphQLSchema, parse } from 'graphql';
import { type AccessRules, readAccessRules } from '../authorization/access-rules.ts';
import { listPolicyNames } from '../authorization/directives.ts';
import { explainSchema, type FieldExplanation } from '../authorization/explain.ts';
import { ConfigError } from '../errors.ts';
import { baseCoordinates, baseTypeDefs, embeddedTypeDefs } from '../graphql/base-schema.ts';
import { assertNoClashes, assertNoRepeatedRules } from '../graphql/create-schema.ts';
import { getMissingDirectives, isStandaloneSchema } from '../graphql/standalone-schema.ts';
import { describeFileError } from '../utils/file-errors.ts';
import { formatTable } from '../utils/text-table.ts';
import { parseArguments } from './parse-arguments.ts';
import { CommandError, formatCount, type Terminal, UsageError } from './terminal.ts';

const FORMATS = { json: printJson, table: printTable, markdown: printMarkdown };
type Format = keyof typeof FORMATS;

interface Counts {
  total: number;
  withoutRequirement: number;
  /** Without a requirement and not `@public`; only the application's fields if its types extend Bandha's. */
  unprotected: number;
}

/** Prints a schema or, with `--explain`, what each of its fields requires. */
export async function schema(args: readonly string[], { stdout, stderr }: Terminal): Promise<void> {
  const { positionals, values } = parseArguments(args, {
    count: [0, 1],
    options: {
      explain: { type: 'boolean', default: false },
      format: { type: 'string', default: 'table' },
      'default-deny': { type: 'boolean', default: false },
      'fail-on-unprotected': { type: 'boolean', default: false },
    },
  });
  if (!isFormat(values.format))
    throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}.`);
  const { schema: built, extendsBase } = loadSchema(positionals[0]);
  const accessRules = loadAccessRules(built, positionals[0], values['default-deny'] ? 'deny' : 'allow');
  const rows = explainSchema(built, accessRules);
  const unrestricted = rows.filter(({ requirement }) => requirement.length === 0);
  // An application cannot add rules to Bandha's own fields.
  const isBase = ({ coordinate }: FieldExplanation) => extendsBase && baseCoordinates.has(coordinate);
  const unprotected = unrestricted.filter((row) => !row.isPublic && !isBase(row));
  const counts = {
    total: rows.length,
    withoutRequirement: unrestricted.length,
    unprotected: unprotected.length,
  };
  stdout.write(
    values.explain ? FORMATS[values.format](rows, counts) : `${printSchemaWithDirectives(built)}\n`,
  );
  if (values['fail-on-unprotected'] && unprotected.length > 0) {
    for (const { coordinate } of unprotected)
      stderr.write(`${coordinate}: must have an access rule or @public\n`);
    throw new CommandError(`Unprotected: ${formatCount(unprotected.length, 'field')}.`);
  }
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATS, name);
}

interface LoadedSchema {
  schema: GraphQLSchema;
  /** Whether the file's types extend Bandha's. */
  extendsBase: boolean;
}

/**
 * Loads Bandha's own schema, or a file: a complete schema, or types that extend Bandha's.
 * @throws CommandError naming the file if it cannot be read or is invalid
 */
function loadSchema(file: string | undefined): LoadedSchema {
  if (file === undefined)
    return { schema: makeExecutableSchema({ typeDefs: baseTypeDefs }), extendsBase: false };
  const text = readText(file);
  try {
    const document = parse(text);
    const extendsBase = !isStandaloneSchema(document.definitions);
    // The same checks as in createBandha and the test kit.
    if (extendsBase) assertNoClashes([document]);
    else assertNoRepeatedRules([document]);
    const base = extendsBase ? embeddedTypeDefs : getMissingDirectives(document.definitions);
    return { schema: makeExecutableSchema({ typeDefs: [base, document] }), extendsBase };
  } catch (error) {
    const reason = error instanceof GraphQLError ? error.toString() : describeError(error);
    throw new CommandError(`${file}: ${reason}`);
  }
}

/** @throws CommandError if the file cannot be read */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file}: ${describeFileError(error)}`);
  }
}

const describeError = (error: unknown) => (error instanceof Error ? error.message : String(error));

function loadAccessRules(
  built: GraphQLSchema,
  file: string | undefined,
  defaultAccess: 'allow' | 'deny',
): AccessRules {
  try {
    return readAccessRules(built, { defaultAccess, policyNames: listPolicyNames(built) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(error.issues.map((issue) => `${file ?? 'schema.graphql'}: ${issue}`).join('\n'));
  }
}

function printJson(rows: readonly FieldExplanation[], counts: Counts): string {
  const fields = rows.map(({ coordinate, requirement, isPublic }) => ({ coordinate, requirement, isPublic }));
  return `${JSON.stringify({ fields, ...counts }, null, 2)}\n`;
}

function printTable(rows: readonly FieldExplanation[], counts: Counts): string {
  const cells = rows.map((row) => [row.coordinate, formatRequirement(row)]);
  return `${formatTable(['FIELD', 'NEEDS'], cells, 'columns')}\n\n${formatSummary(counts)}\n`;
}

function printMarkdown(rows: readonly FieldExplanation[], counts: Counts): string {
  const cells = rows.map((row) => [`\`${row.coordinate}\``, formatRequirement(row)]);
  return `${formatTable(['field', 'needs'], cells, 'markdown')}\n\n${formatSummary(counts)}\n`;
}

function formatRequirement({ needs, requirement, isPublic }: FieldExplanation): string {
  return requirement.length === 0 && isPublic ? 'nothing (public)' : needs;
}

function formatSummary({ total, withoutRequirement, unprotected }: Counts): string {
  return `${formatCount(total, 'field')}; ${withoutRequirement} without a requirement, ${unprotected} of them not marked @public.`;
}
