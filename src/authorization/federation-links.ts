// The names of Federation's directives in a schema: its `@link`s may give them others.
import type { GraphQLSchema } from 'graphql';
import { type AppliedDirective, readDirectives } from './read-directives.ts';

/** What the links of a schema say. */
export interface LinkedNames {
  /** Federation's name of a directive, such as `requiresScopes`, by the name that the schema uses. */
  aliases: ReadonlyMap<string, string>;
  /** What is wrong with the links, as ends of sentences. */
  issues: readonly string[];
}

/** Federation's directives that ask for a caller. */
const FEDERATION_DIRECTIVES = ['authenticated', 'requiresScopes', 'policy'] as const;
/** Names that have a meaning of their own for the guard. */
const RESERVED: readonly string[] = ['auth', 'public', 'skipAuth', ...FEDERATION_DIRECTIVES];
/** Names of a specification of its own each: `https://specs.apollo.dev/authenticated/v0.1`. */
const FEATURE = /^https:\/\/specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\/v\d+\.\d+\/*$/;
const FEDERATION = /^https:\/\/specs\.apollo\.dev\/federation\/v[12]\.\d+\/*$/;
const NAME = /^[A-Za-z_]\w*$/;
const IMPORT_KEYS = ['name', 'as'];

interface Import {
  name: string;
  as: string;
}

/** Reads every link on the schema, whatever `@link` itself is called: by its `url`, or `feature` in Federation 1. */
export function readLinks(schema: GraphQLSchema): LinkedNames {
  const aliases = new Map(FEDERATION_DIRECTIVES.map((name) => [`federation__${name}`, name as string]));
  const issues: string[] = [];

  function add(alias: string, name: string): void {
    const known = aliases.get(alias);
    if ((RESERVED.includes(alias) && alias !== name) || (known !== undefined && known !== name)) {
      issues.push(`@link gives @${name} the name @${alias}, which collides with another directive`);
    } else if (FEDERATION_DIRECTIVES.some((one) => one === name)) {
      aliases.set(alias, name);
    }
  }

  for (const link of readDirectives(schema, schema)) {
    const url = link.args.url ?? link.args.feature;
    const isLink = link.name === 'link' || link.name === 'core' || mentionsFederation(url);
    if (!isLink) continue;
    const imports = readImports(link);
    const feature = typeof url === 'string' ? FEATURE.exec(url)?.[1] : undefined;
    const isFederation = typeof url === 'string' && FEDERATION.test(url);
    const found = [
      ...(feature === undefined && !isFederation && mentionsFederation(link.args) ? [NOT_UNDERSTOOD] : []),
      ...(typeof imports === 'string' ? [imports] : []),
    ];
    const namespace = link.args.as ?? feature ?? 'federation';
    if (typeof namespace !== 'string' || !NAME.test(namespace)) found.push('@link as: must be a name');
    issues.push(...found);
    if (found.length > 0 || typeof imports === 'string') continue;
    for (const { name, as } of imports) {
      if (isFederation || feature !== undefined) add(as, name);
      else if (name !== as && (RESERVED.includes(name) || RESERVED.includes(as))) {
        issues.push(`@link gives @${name} the name @${as}, which collides with a directive of the guard`);
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

const NOT_UNDERSTOOD =
  '@link to Federation is not understood: url must be https://specs.apollo.dev/federation/v2.x';

/** Also in what cannot be read as a link, so that a link with a mistake is not taken for one to something else. */
function mentionsFederation(value: unknown): boolean {
  if (typeof value === 'string')
    return /federation|specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\b/i.test(value);
  return typeof value === 'object' && value !== null && mentionsFederation((value as { url?: unknown }).url);
}

/** @returns the directives that are imported, without `@`; a sentence if an import cannot be read */
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
      return `@link import: must be names, or { ${IMPORT_KEYS.join(', ')} }, directives with their @`;
    if (name.startsWith('@')) imports.push({ name: name.slice(1), as: as.slice(1) });
    else if (RESERVED.includes(name))
      return `@link import: "${name}" is a directive, so its name begins with @`;
  }
  return imports;
}
