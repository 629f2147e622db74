// What a directive demands of a caller, and reading it off a schema element.
import { getDirectives } from '@graphql-tools/utils';
import {
  type GraphQLArgument,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';

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
export interface Demands {
  rules: readonly Rule[];
  /** Marked as open where the default is to deny. */
  isPublic: boolean;
  /** What is wrong with the directives, as ends of sentences. */
  faults: readonly string[];
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

type Element =
  | GraphQLSchema
  | GraphQLNamedType
  | GraphQLField<unknown, unknown>
  | GraphQLArgument
  | GraphQLInputField
  | GraphQLEnumValue;

/** Reads the directives of a type or field, whatever put them there: SDL, `extend type` or `extensions.directives`. */
export function readDemands(schema: GraphQLSchema, element: Element): Demands {
  const rules: Rule[] = [];
  const faults: string[] = [];
  let isPublic = false;
  for (const { name: written, args } of directivesOf(schema, element)) {
    const name = written.replace(/^federation__/, ''); // Federation 2's name where it is not imported
    if (PUBLIC_DIRECTIVES.includes(name)) isPublic = true;
    if (!Object.hasOwn(RULE_DIRECTIVES, name)) continue;
    const given = Object.entries(args ?? {}).filter(([, value]) => value !== undefined);
    const rule: Arguments = Object.fromEntries(given);
    const wrong = [...faultsOfNames(name, rule), ...faultsOf(rule)];
    faults.push(...wrong.map((fault) => `@${name} ${fault}`));
    rules.push(wrong.length === 0 ? (rule as Rule) : SIGNED_IN); // every value has been looked at
  }
  if (isPublic && rules.length > 0) faults.push('is both public and protected');
  return { rules, isPublic, faults };
}

/** `extensions.directives` is an object by name, or a list of `{ name, args }`. */
function directivesOf(schema: GraphQLSchema, element: Element): { name: string; args?: Arguments }[] {
  const listed: unknown = element.extensions.directives;
  if (!Array.isArray(listed)) return getDirectives(schema, element);
  const { directives: _, ...extensions } = element.extensions;
  const written = getDirectives(schema, { ...element, extensions });
  return [...listed, ...written];
}

/** Every policy that a schema names, for those who look at it without defining them. */
export function policyNamesOf(schema: GraphQLSchema): string[] {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [],
  );
  return [...types, ...fields]
    .flatMap((element) => readDemands(schema, element).rules)
    .flatMap(({ policies = [] }) => policies.flat());
}

/** A misspelt argument would leave less demanded than was meant. */
function faultsOfNames(directive: string, args: Arguments): string[] {
  const { takes = [], needs = [] } = RULE_DIRECTIVES[directive] ?? {};
  const unknown = Object.keys(args).filter((name) => !takes.includes(name));
  const missing = needs.filter((name) => args[name] === undefined);
  return [
    ...unknown.map((name) => `${name}: is not an argument of this directive`),
    ...missing.map((name) => `${name}: is required`),
  ];
}

function faultsOf({ roles, scopes, policies, maxAge }: Arguments): string[] {
  const isStrings = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === 'string');
  const isSets = (list: unknown) => Array.isArray(list) && list.every(isStrings);
  const faults: string[] = [];
  if (roles !== undefined && !isStrings(roles)) faults.push('roles: must be a list of strings');
  if (scopes !== undefined && !isSets(scopes)) faults.push('scopes: must be a list of lists of strings');
  else if (Array.isArray(scopes) && !scopes.flat().every((scope) => SCOPE_TOKEN.test(scope))) {
    faults.push('scopes: must be words of ASCII without quotes, backslashes and spaces');
  }
  if (policies !== undefined && !isSets(policies))
    faults.push('policies: must be a list of lists of strings');
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && Number(maxAge) >= 0)) {
    faults.push('maxAge: must be a whole number of seconds');
  }
  return faults;
}
