// bandha schema
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
import { parseArguments } from './parse-arguments.ts';
import { CommandError, type Terminal, UsageError } from './terminal.ts';

const FORMATS = { json: printJson, table: printTable, markdown: printMarkdown };
type Format = keyof typeof FORMATS;

interface Counts {
  total: number;
  withoutRequirement: number;
  /** Without a requirement and not marked as public; on top of Bandha's schema, of the application's fields alone. */
  unprotected: number;
}

/** Prints a schema, or with `--explain` what each of its fields needs. */
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
  const { schema: built, isOnTop } = loadSchema(positionals[0]);
  const accessRules = loadAccessRules(built, positionals[0], values['default-deny'] ? 'deny' : 'allow');
  const rows = explainSchema(built, accessRules);
  const unrestricted = rows.filter(({ requirement }) => requirement.length === 0);
  // Bandha's own fields are not for the application to protect.
  const isOwn = ({ coordinate }: FieldExplanation) => isOnTop && baseCoordinates.has(coordinate);
  const unprotected = unrestricted.filter((row) => !row.isPublic && !isOwn(row));
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
      stderr.write(`${coordinate} needs nothing and is not marked @public\n`);
    throw new CommandError(`${countOf(unprotected.length)} unprotected.`);
  }
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATS, name);
}

interface LoadedSchema {
  schema: GraphQLSchema;
  /** Whether the file's types go on top of Bandha's. */
  isOnTop: boolean;
}

/** Bandha's own schema, or the one in a file: by itself, or on top of Bandha's. */
function loadSchema(file: string | undefined): LoadedSchema {
  if (file === undefined) return { schema: makeExecutableSchema({ typeDefs: baseTypeDefs }), isOnTop: false };
  const text = readText(file);
  try {
    const document = parse(text);
    const isOnTop = !isStandaloneSchema(document.definitions);
    // The checks that createBandha and the test kit make.
    if (isOnTop) assertNoClashes([document]);
    else assertNoRepeatedRules([document]);
    const base = isOnTop ? embeddedTypeDefs : getMissingDirectives(document.definitions);
    return { schema: makeExecutableSchema({ typeDefs: [base, document] }), isOnTop };
  } catch (error) {
    const reason = error instanceof GraphQLError ? error.toString() : describeError(error);
    throw new CommandError(`${file}: ${reason}`);
  }
}

/** @throws CommandFailure if there is no such file */
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
  otherwise: 'allow' | 'deny',
): AccessRules {
  try {
    return readAccessRules(built, { defaultAccess: otherwise, policyNames: listPolicyNames(built) });
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
  const width = Math.max(5, ...rows.map(({ coordinate }) => coordinate.length));
  const lines = [['FIELD', 'NEEDS'], ...rows.map((row) => [row.coordinate, formatRequirement(row)])];
  const body = lines.map(([field = '', needs = '']) => `${field.padEnd(width)}  ${needs}`);
  return `${[...body, '', summary(counts)].join('\n')}\n`;
}

function printMarkdown(rows: readonly FieldExplanation[], counts: Counts): string {
  const body = rows.map(
    (row) => `| \`${row.coordinate}\` | ${formatRequirement(row).replaceAll('|', '\\|')} |`,
  );
  return `${['| field | needs |', '| --- | --- |', ...body, '', summary(counts)].join('\n')}\n`;
}

function formatRequirement({ needs, requirement, isPublic }: FieldExplanation): string {
  return requirement.length === 0 && isPublic ? 'nothing (public)' : needs;
}

function summary({ total, withoutRequirement, unprotected }: Counts): string {
  return `${countOf(total)}; ${withoutRequirement} without a requirement, ${unprotected} of them not marked @public.`;
}

function countOf(count: number): string {
  return `${count} ${count === 1 ? 'field' : 'fields'}`;
}
