// Reads the access directives of a schema element: `@auth`, `@public`, and Federation's three.
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import { readLinks } from './federation-links.ts';
import { findMergedRules } from './merged-rules.ts';
import { type DirectiveHolder, readDirectives } from './read-directives.ts';
import { type Rule, SIGNED_IN } from './requirement.ts';

/** The access directives of one schema element. */
export interface AccessDirectives {
  /** One for each directive that restricts access. */
  rules: readonly Rule[];
  /** Whether the element is marked `@public` or `@skipAuth`, so that it stays open if `defaultAccess` is `deny`. */
  isPublic: boolean;
  /** Mistakes in the directives; each completes a line that begins with the element's coordinate. */
  issues: readonly string[];
}

/** Reads the rules of a schema's elements, under the names that its `@link`s give to directives. */
export interface RuleReader {
  /**
   * @param parent the type that has the field, if the element is a field
   * @returns `SIGNED_IN` in place of a rule with a mistake, so that the element stays closed
   */
  read(element: DirectiveHolder, parent?: unknown): AccessDirectives;
  /** Mistakes in the schema as a whole, as sentences: links that cannot be read, and rules that a merge has dropped. */
  issues: readonly string[];
}

type Arguments = Record<string, unknown>;

/** The directives that restrict access, with the arguments that each accepts and requires. */
const RULE_DIRECTIVES: Readonly<
  Record<string, { accepted: readonly string[]; required: readonly string[] }>
> = {
  auth: { accepted: ['roles', 'scopes', 'policies', 'maxAge'], required: [] },
  authenticated: { accepted: [], required: [] },
  requiresScopes: { accepted: ['scopes'], required: ['scopes'] },
  policy: { accepted: ['policies'], required: ['policies'] },
};
const PUBLIC_DIRECTIVES: readonly string[] = ['public', 'skipAuth'];

/** `scope-token` of RFC 6749, section 3.3: the only scopes that a `WWW-Authenticate` challenge can name. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** @param name without `@`, as Bandha or Federation define it */
export function isAccessDirective(name: string): boolean {
  return Object.hasOwn(RULE_DIRECTIVES, name);
}

/** Creates a reader of directives in SDL, `extend type` and `extensions.directives`. Reads the schema's links once. */
export function createRuleReader(schema: GraphQLSchema): RuleReader {
  const { aliases, issues: linkIssues } = readLinks(schema);
  const isRule = (alias: string) => isAccessDirective(aliases.get(alias) ?? alias);
  return {
    issues: [...linkIssues.map((issue) => `schema: ${issue}`), ...findMergedRules(schema, isRule)],
    read(element, parent) {
      const rules: Rule[] = [];
      const issues: string[] = [];
      let isPublic = false;
      for (const { name: alias, args } of readDirectives(schema, element, parent)) {
        const name = aliases.get(alias) ?? alias;
        if (PUBLIC_DIRECTIVES.includes(name)) isPublic = true;
        if (!isAccessDirective(name)) continue;
        const defined = Object.entries(args).filter(([, value]) => value !== undefined);
        const rule: Arguments = Object.fromEntries(defined);
        const found = [...validateNames(name, rule), ...validateArguments(rule)];
        issues.push(...found.map((issue) => `@${alias} ${issue}`));
        rules.push(found.length === 0 ? (rule as Rule) : SIGNED_IN); // cast: both validations have passed
      }
      if (isPublic && rules.length > 0) issues.push('must not be both public and protected');
      return { rules, isPublic, issues };
    },
  };
}

/** Lists the policies that a schema names, for tools that read its rules without defining policies. */
export function listPolicyNames(schema: GraphQLSchema): string[] {
  const { read } = createRuleReader(schema);
  return Object.values(schema.getTypeMap())
    .flatMap((type) => [
      ...read(type).rules,
      ...(isObjectType(type) || isInterfaceType(type)
        ? Object.values(type.getFields()).flatMap((field) => read(field, type).rules)
        : []),
    ])
    .flatMap(({ policies = [] }) => policies.flat());
}

/** A misspelled argument must not be ignored: the rule would require less than its author meant. */
function validateNames(directive: string, args: Arguments): string[] {
  const { accepted = [], required = [] } = RULE_DIRECTIVES[directive] ?? {};
  const unknown = Object.keys(args).filter((name) => !accepted.includes(name));
  const missing = required.filter((name) => args[name] === undefined);
  return [
    ...unknown.map((name) => `${name}: is not an argument of this directive`),
    ...missing.map((name) => `${name}: is required`),
  ];
}

function validateArguments({ roles, scopes, policies, maxAge }: Arguments): string[] {
  const isStrings = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === 'string');
  const isSets = (list: unknown) => Array.isArray(list) && list.every(isStrings);
  const issues: string[] = [];
  if (roles !== undefined && !isStrings(roles)) issues.push('roles: must be a list of strings');
  if (scopes !== undefined && !isSets(scopes)) issues.push('scopes: must be a list of lists of strings');
  else if (Array.isArray(scopes) && !scopes.flat().every((scope) => SCOPE_TOKEN.test(scope))) {
    issues.push('scopes: must be printable ASCII without spaces, quotes and backslashes');
  }
  if (policies !== undefined && !isSets(policies))
    issues.push('policies: must be a list of lists of strings');
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && Number(maxAge) >= 0)) {
    issues.push('maxAge: must be a whole number of seconds, 0 or more');
  }
  return issues;
}
