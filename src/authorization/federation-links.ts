// Reads the names of Federation's directives in a schema, which its `@link`s may change.
import type { GraphQLSchema } from 'graphql';
import { type AppliedDirective, readDirectives } from './read-directives.ts';

/** The names that the links of a schema give to directives. */
export interface LinkedNames {
  /** From the name that the schema uses to Federation's name, such as `requiresScopes`. */
  aliases: ReadonlyMap<string, string>;
  /** Mistakes in the links; each completes a line that begins with `schema:`. */
  issues: readonly string[];
}

/** Federation's directives that restrict access. */
const FEDERATION_DIRECTIVES = ['authenticated', 'requiresScopes', 'policy'] as const;
/** Names of directives that the guard reads. */
const RESERVED: readonly string[] = ['auth', 'public', 'skipAuth', ...FEDERATION_DIRECTIVES];
/** The URL of a specification with a single directive, such as `https://specs.apollo.dev/authenticated/v0.1`. */
const FEATURE = /^https:\/\/specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\/v\d+\.\d+\/*$/;
const FEDERATION = /^https:\/\/specs\.apollo\.dev\/federation\/v[12]\.\d+\/*$/;
const NAME = /^[A-Za-z_]\w*$/;
const IMPORT_KEYS = ['name', 'as'];

interface Import {
  name: string;
  as: string;
}

/** Reads every link on the schema. `@link` may itself have another name, so a link is also recognized by its `url`. */
export function readLinks(schema: GraphQLSchema): LinkedNames {
  const aliases = new Map(FEDERATION_DIRECTIVES.map((name) => [`federation__${name}`, name as string]));
  const issues: string[] = [];

  function add(alias: string, name: string): void {
    const existing = aliases.get(alias);
    if ((RESERVED.includes(alias) && alias !== name) || (existing !== undefined && existing !== name)) {
      issues.push(`@link gives @${name} the name @${alias}, which conflicts with another directive`);
    } else if (FEDERATION_DIRECTIVES.some((one) => one === name)) {
      aliases.set(alias, name);
    }
  }

  for (const link of readDirectives(schema, schema)) {
    const url = link.args.url ?? link.args.feature; // `feature` is the name in @core, of Federation 1
    const isLink = link.name === 'link' || link.name === 'core' || mentionsFederation(url);
    if (!isLink) continue;
    const imports = readImports(link);
    const feature = typeof url === 'string' ? FEATURE.exec(url)?.[1] : undefined;
    const isFederation = typeof url === 'string' && FEDERATION.test(url);
    const found = [
      ...(feature === undefined && !isFederation && mentionsFederation(link.args) ? [INVALID_URL] : []),
      ...(typeof imports === 'string' ? [imports] : []),
    ];
    const namespace = link.args.as ?? feature ?? 'federation';
    if (typeof namespace !== 'string' || !NAME.test(namespace)) found.push('@link as: must be a name');
    issues.push(...found);
    if (found.length > 0 || typeof imports === 'string') continue;
    for (const { name, as } of imports) {
      if (isFederation || feature !== undefined) add(as, name);
      else if (name !== as && (RESERVED.includes(name) || RESERVED.includes(as))) {
        issues.push(`@link gives @${name} the name @${as}, which conflicts with a directive of the guard`);
      }
    }
    if (feature !== undefined) {
      add(String(namespace), feature);
      add(`${namespace}__${feature}`, feature);
    }
    if (isFederation) for (const name of FEDERATION_DIRECTIVES) add(`${namespace}__${name}`, name);
  }
  return { aliases, issues };
}

const INVALID_URL = '@link to Federation: url must be https://specs.apollo.dev/federation/v2.x';

/** Whether a link could be meant for Federation. Wider than the URLs above: a link with a mistake must not be ignored. */
function mentionsFederation(value: unknown): boolean {
  if (typeof value === 'string')
    return /federation|specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\b/i.test(value);
  return typeof value === 'object' && value !== null && mentionsFederation((value as { url?: unknown }).url);
}

/** @returns the imported directives, without `@`, or an issue if an import is invalid */
function readImports({ args }: AppliedDirective): Import[] | string {
  const imports: Import[] = [];
  for (const one of [args.import ?? []].flat() as unknown[]) {
    const { name, as = name, ...rest } = typeof one === 'string' ? { name: one } : Object(one);
    const isImport =
      typeof name === 'string' &&
      typeof as === 'string' &&
      Object.keys(rest).length === 0 &&
      [name, as].every((each) => NAME.test(each.replace(/^@/, ''))) &&
      name.startsWith('@') === as.startsWith('@');
    if (!isImport)
      return `@link import: must be names, or { ${IMPORT_KEYS.join(', ')} }; names of directives begin with @`;
    if (name.startsWith('@')) imports.push({ name: name.slice(1), as: as.slice(1) });
    else if (RESERVED.includes(name))
      return `@link import: "${name}" is a directive, so its name must begin with @`;
  }
  return imports;
}
