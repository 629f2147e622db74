// What a directive asks of a caller, and reading it off a schema element.
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import { readLinks } from './federation-links.ts';
import { findMergedRules } from './merged-rules.ts';
import { type DirectiveHolder, readDirectives } from './read-directives.ts';

/** One directive's demand; everything given must hold, and nothing given means: signed in. */
export interface Rule {
  /** Any one of these. */
  roles?: readonly string[];
  /** Every one of any set. */
  scopes?: readonly (readonly string[])[];
  /** Every one of any set answers yes. */
  policies?: readonly (readonly string[])[];
  /** Seconds since the caller last proved who they are (RFC 9470). */
  maxAge?: number;
}

/** Rules that must all hold; empty: open to everyone. */
export type Requirement = readonly Rule[];

/** The rule that `@auth` without arguments makes: the caller is signed in. */
export const SIGNED_IN: Rule = {};

/** What stands on one element of a schema. */
export interface AccessDirectives {
  rules: readonly Rule[];
  /** Marked as open where the default is to deny. */
  isPublic: boolean;
  /** What is wrong with the directives, as ends of sentences. */
  issues: readonly string[];
}

type Arguments = Record<string, unknown>;

/** The directives, ours and Federation's: the arguments that each takes, and those that it must have. */
const RULE_DIRECTIVES: Readonly<Record<string, { takes: readonly string[]; needs: readonly string[] }>> = {
  auth: { takes: ['roles', 'scopes', 'policies', 'maxAge'], needs: [] },
  authenticated: { takes: [], needs: [] },
  requiresScopes: { takes: ['scopes'], needs: ['scopes'] },
  policy: { takes: ['policies'], needs: ['policies'] },
};
/** RFC 6749, section 3.3; what a refusal names in its challenge. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const PUBLIC_DIRECTIVES: readonly string[] = ['public', 'skipAuth'];

/** Whether a directive says who may use an element. */
export function isAccessDirective(name: string): boolean {
  return Object.hasOwn(RULE_DIRECTIVES, name);
}

/** Reads the rules of a schema's elements, with the names that its links give to directives. */
export interface RuleReader {
  /** @param parent the type of a field */
  read(element: DirectiveHolder, parent?: unknown): AccessDirectives;
  /** What is wrong with the schema as a whole, as sentences: its links, and rules that a merge has lost. */
  issues: readonly string[];
}

/** Reads the links once; each element then by what put its directives there: SDL, `extend type`, `extensions.directives`. */
export function createRuleReader(schema: GraphQLSchema): RuleReader {
  const { aliases, issues } = readLinks(schema);
  const isRule = (written: string) => isAccessDirective(aliases.get(written) ?? written);
  return {
    issues: [...issues.map((issue) => `schema: ${issue}`), ...findMergedRules(schema, isRule)],
    read(element, parent) {
      const rules: Rule[] = [];
      const issues: string[] = [];
      let isPublic = false;
      for (const { name: written, args } of readDirectives(schema, element, parent)) {
        const name = aliases.get(written) ?? written;
        if (PUBLIC_DIRECTIVES.includes(name)) isPublic = true;
        if (!isAccessDirective(name)) continue;
        const given = Object.entries(args).filter(([, value]) => value !== undefined);
        const rule: Arguments = Object.fromEntries(given);
        const wrong = [...validateNames(name, rule), ...validateArguments(rule)];
        issues.push(...wrong.map((issue) => `@${written} ${issue}`));
        rules.push(wrong.length === 0 ? (rule as Rule) : SIGNED_IN); // every value has been looked at
      }
      if (isPublic && rules.length > 0) issues.push('is both public and protected');
      return { rules, isPublic, issues };
    },
  };
}

/** Every policy that a schema names, for those who look at it without defining them. */
export function policyNamesOf(schema: GraphQLSchema): string[] {
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

/** A misspelt argument would leave less demanded than was meant. */
function validateNames(directive: string, args: Arguments): string[] {
  const { takes = [], needs = [] } = RULE_DIRECTIVES[directive] ?? {};
  const unknown = Object.keys(args).filter((name) => !takes.includes(name));
  const missing = needs.filter((name) => args[name] === undefined);
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
    issues.push('scopes: must be words of ASCII without quotes, backslashes and spaces');
  }
  if (policies !== undefined && !isSets(policies))
    issues.push('policies: must be a list of lists of strings');
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && Number(maxAge) >= 0)) {
    issues.push('maxAge: must be a whole number of seconds');
  }
  return issues;
}
