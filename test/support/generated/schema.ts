// Generates schemas with fast-check. Their rules are also kept as lists, which the oracle reads instead of the directives.
import fc, { type GeneratorValue } from 'fast-check';

/** A rule as the oracle reads it. `directive` is the same rule in SDL. */
export interface GeneratedRule {
  directive: string;
  roles?: string[];
  scopes?: string[][];
  policies?: string[][];
  maxAge?: number;
}

export interface GeneratedField {
  name: string;
  /** The name of the type, without lists and non-null. */
  returns: string;
  /** The lists and non-null around the type `T`. */
  wrap: 'T' | 'T!' | '[T]' | '[T!]' | '[T!]!';
  rules: GeneratedRule[];
}

export interface GeneratedType {
  kind: 'object' | 'interface' | 'union' | 'leaf';
  name: string;
  rules: GeneratedRule[];
  fields: GeneratedField[];
  /** All interfaces that an object type or interface implements, directly or not. */
  interfaces: string[];
  /** The members of a union. */
  members: string[];
}

export interface GeneratedSchema {
  types: Map<string, GeneratedType>;
  sdl: string;
  /** Lists the object types that a field of the type can return. */
  objectsOf(name: string): string[];
}

/** The features that generated schemas may use. */
export interface SchemaLimits {
  /** In how many of ten cases an element has a rule. */
  ruleWeight: number;
  /** Whether interfaces and unions may occur. */
  abstractTypes: boolean;
  directives: readonly ('auth' | 'federation' | 'policies')[];
  /** Whether scalars and enums may have rules. */
  onLeaves: boolean;
  /** Whether object types and interfaces may have rules. */
  onTypes: boolean;
}

const WRAPS = ['T', 'T', 'T!', '[T]', '[T!]', '[T!]!'] as const;
const FIELD_NAMES = ['a', 'b', 'c', 'd'] as const;

export function generateSchema(g: GeneratorValue, limits: SchemaLimits): GeneratedSchema {
  const types = new Map<string, GeneratedType>();
  const pick = <T>(items: readonly T[]): T => g(() => fc.constantFrom(...items));
  const count = (min: number, max: number) => g(() => fc.integer({ min, max }));
  const ruleOrNone = (isAllowed = true): GeneratedRule[] =>
    isAllowed && count(1, 10) <= limits.ruleWeight ? [createRule(pick(ruleKinds(limits)), pick)] : [];
  const add = (type: Partial<GeneratedType> & Pick<GeneratedType, 'kind' | 'name'>) =>
    types.set(type.name, { rules: [], fields: [], interfaces: [], members: [], ...type });

  add({ kind: 'leaf', name: 'Int' });
  add({ kind: 'leaf', name: 'Code', rules: ruleOrNone(limits.onLeaves) });
  add({ kind: 'leaf', name: 'Shade', rules: ruleOrNone(limits.onLeaves) });
  const objects = Array.from({ length: count(2, 4) }, (_, i) => `O${i}`);
  const interfaces = limits.abstractTypes ? Array.from({ length: count(0, 2) }, (_, i) => `I${i}`) : [];
  const unions = limits.abstractTypes ? Array.from({ length: count(0, 2) }, (_, i) => `U${i}`) : [];
  const returnable = ['Int', 'Int', 'Code', 'Shade', ...objects, ...interfaces, ...unions];
  const createField = (name: string): GeneratedField => ({
    name,
    returns: pick(returnable),
    wrap: pick(WRAPS),
    rules: ruleOrNone(),
  });

  for (const [i, name] of interfaces.entries()) {
    // The second interface may implement the first.
    const inherited = i > 0 && count(0, 1) === 1 ? types.get('I0') : undefined;
    const own = { ...createField(`i${i}`), rules: ruleOrNone() };
    const fields = [...(inherited?.fields ?? []).map((field) => ({ ...field, rules: ruleOrNone() })), own];
    add({
      kind: 'interface',
      name,
      rules: ruleOrNone(limits.onTypes),
      fields,
      interfaces: inherited ? ['I0'] : [],
    });
  }
  for (const [i, name] of objects.entries()) {
    // The first object type implements all interfaces, so that each has an implementation.
    const direct = interfaces.filter(() => i === 0 || count(0, 1) === 1);
    const all = [...new Set(direct.flatMap((one) => [one, ...(types.get(one)?.interfaces ?? [])]))];
    const inherited = new Map(
      all.flatMap((one) => types.get(one)?.fields ?? []).map((field) => [field.name, field]),
    );
    const fields = [
      ...[...inherited.values()].map((field) => ({ ...field, rules: ruleOrNone() })),
      ...FIELD_NAMES.slice(0, count(1, 3)).map(createField),
    ];
    add({ kind: 'object', name, rules: ruleOrNone(limits.onTypes), fields, interfaces: all });
  }
  for (const name of unions) {
    const members = objects.filter((_, i) => i === 0 || count(0, 1) === 1);
    add({ kind: 'union', name, members });
  }
  add({ kind: 'object', name: 'Query', fields: ['p', 'q', 'r'].map(createField) });

  const objectsOf = (name: string): string[] => {
    const type = types.get(name);
    if (type?.kind === 'object') return [name];
    if (type?.kind === 'union') return type.members;
    return [...types.values()]
      .filter((one) => one.kind === 'object' && one.interfaces.includes(name))
      .map((one) => one.name);
  };
  return { types, sdl: [...types.values()].map(print).join('\n'), objectsOf };
}

type RuleKind =
  | 'auth'
  | 'roles'
  | 'scopes'
  | 'maxAge'
  | 'policies'
  | 'authenticated'
  | 'requiresScopes'
  | 'policy';

function ruleKinds({ directives }: SchemaLimits): RuleKind[] {
  return [
    ...(directives.includes('auth') ? (['auth', 'roles', 'scopes', 'maxAge'] as const) : []),
    ...(directives.includes('federation') ? (['authenticated', 'requiresScopes'] as const) : []),
    ...(directives.includes('policies') ? (['policies', 'policy'] as const) : []),
  ];
}

function createRule(kind: RuleKind, pick: <T>(items: readonly T[]) => T): GeneratedRule {
  const scopes = pick([[['x']], [['x', 'y']], [['x'], ['y']]]);
  const policies = pick([[['even']], [['even', 'odd']], [['even'], ['odd']]]);
  const roles = pick([['admin'], ['admin', 'editor'], ['editor']]);
  switch (kind) {
    case 'auth':
      return { directive: '@auth' };
    case 'roles':
      return { directive: `@auth(roles: ${JSON.stringify(roles)})`, roles };
    case 'scopes':
      return { directive: `@auth(scopes: ${JSON.stringify(scopes)})`, scopes };
    case 'maxAge':
      return { directive: '@auth(maxAge: 300)', maxAge: 300 };
    case 'policies':
      return {
        directive: `@auth(policies: ${JSON.stringify(policies)}, roles: ${JSON.stringify(roles)})`,
        policies,
        roles,
      };
    case 'authenticated':
      return { directive: '@authenticated' };
    case 'requiresScopes':
      return { directive: `@requiresScopes(scopes: ${JSON.stringify(scopes)})`, scopes };
    case 'policy':
      return { directive: `@policy(policies: ${JSON.stringify(policies)})`, policies };
  }
}

function print({ kind, name, rules, fields, interfaces, members }: GeneratedType): string {
  const directives = rules.map(({ directive }) => ` ${directive}`).join('');
  if (name === 'Int') return '';
  if (name === 'Code') return `scalar Code${directives}`;
  if (name === 'Shade') return `enum Shade${directives} { DARK LIGHT }`;
  if (kind === 'union') return `union ${name} = ${members.join(' | ')}`;
  const implementing = interfaces.length > 0 ? ` implements ${interfaces.join(' & ')}` : '';
  const body = fields.map(
    (field) =>
      `  ${field.name}: ${field.wrap.replace('T', field.returns)}${field.rules.map(({ directive }) => ` ${directive}`).join('')}`,
  );
  return `${kind === 'interface' ? 'interface' : 'type'} ${name}${implementing}${directives} {\n${body.join('\n')}\n}`;
}
