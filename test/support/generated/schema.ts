// Schemas and data made up by fast-check, with what they demand kept in plain lists that the oracle reads.
import fc, { type GeneratorValue } from 'fast-check';

/** A demand in the oracle's own words; `directive` is how the SDL says it. */
export interface MadeRule {
  directive: string;
  roles?: string[];
  scopes?: string[][];
  policies?: string[][];
  maxAge?: number;
}

export interface MadeField {
  name: string;
  /** The named type. */
  returns: string;
  wrap: 'T' | 'T!' | '[T]' | '[T!]' | '[T!]!';
  rules: MadeRule[];
}

export interface MadeType {
  kind: 'object' | 'interface' | 'union' | 'leaf';
  name: string;
  rules: MadeRule[];
  fields: MadeField[];
  /** Of an object, all of them, inherited ones included. */
  interfaces: string[];
  /** Of a union. */
  members: string[];
}

export interface MadeSchema {
  types: Map<string, MadeType>;
  sdl: string;
  /** The objects that may stand where the type stands. */
  objectsOf(name: string): string[];
}

export interface SchemaLimits {
  /** How often an element has a rule, out of ten. */
  ruleWeight: number;
  abstractTypes: boolean;
  directives: readonly ('auth' | 'federation' | 'policies')[];
  onLeaves: boolean;
  onTypes: boolean;
}

const WRAPS = ['T', 'T', 'T!', '[T]', '[T!]', '[T!]!'] as const;
const FIELD_NAMES = ['a', 'b', 'c', 'd'] as const;

export function makeSchema(g: GeneratorValue, limits: SchemaLimits): MadeSchema {
  const types = new Map<string, MadeType>();
  const pick = <T>(items: readonly T[]): T => g(() => fc.constantFrom(...items));
  const count = (min: number, max: number) => g(() => fc.integer({ min, max }));
  const ruleOrNone = (isAllowed = true): MadeRule[] =>
    isAllowed && count(1, 10) <= limits.ruleWeight ? [makeRule(pick(ruleMakers(limits)), pick)] : [];
  const add = (type: Partial<MadeType> & Pick<MadeType, 'kind' | 'name'>) =>
    types.set(type.name, { rules: [], fields: [], interfaces: [], members: [], ...type });

  add({ kind: 'leaf', name: 'Int' });
  add({ kind: 'leaf', name: 'Code', rules: ruleOrNone(limits.onLeaves) });
  add({ kind: 'leaf', name: 'Shade', rules: ruleOrNone(limits.onLeaves) });
  const objects = Array.from({ length: count(2, 4) }, (_, i) => `O${i}`);
  const interfaces = limits.abstractTypes ? Array.from({ length: count(0, 2) }, (_, i) => `I${i}`) : [];
  const unions = limits.abstractTypes ? Array.from({ length: count(0, 2) }, (_, i) => `U${i}`) : [];
  const returnable = ['Int', 'Int', 'Code', 'Shade', ...objects, ...interfaces, ...unions];
  const makeField = (name: string): MadeField => ({
    name,
    returns: pick(returnable),
    wrap: pick(WRAPS),
    rules: ruleOrNone(),
  });

  for (const [i, name] of interfaces.entries()) {
    // The second one may inherit the first.
    const inherited = i > 0 && count(0, 1) === 1 ? types.get('I0') : undefined;
    const own = { ...makeField(`i${i}`), rules: ruleOrNone() };
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
    // The first object implements all, so that no interface is without one.
    const direct = interfaces.filter(() => i === 0 || count(0, 1) === 1);
    const all = [...new Set(direct.flatMap((one) => [one, ...(types.get(one)?.interfaces ?? [])]))];
    const inherited = new Map(
      all.flatMap((one) => types.get(one)?.fields ?? []).map((field) => [field.name, field]),
    );
    const fields = [
      ...[...inherited.values()].map((field) => ({ ...field, rules: ruleOrNone() })),
      ...FIELD_NAMES.slice(0, count(1, 3)).map(makeField),
    ];
    add({ kind: 'object', name, rules: ruleOrNone(limits.onTypes), fields, interfaces: all });
  }
  for (const name of unions) {
    const members = objects.filter((_, i) => i === 0 || count(0, 1) === 1);
    add({ kind: 'union', name, members });
  }
  add({ kind: 'object', name: 'Query', fields: ['p', 'q', 'r'].map(makeField) });

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

type RuleMaker =
  | 'auth'
  | 'roles'
  | 'scopes'
  | 'maxAge'
  | 'policies'
  | 'authenticated'
  | 'requiresScopes'
  | 'policy';

function ruleMakers({ directives }: SchemaLimits): RuleMaker[] {
  return [
    ...(directives.includes('auth') ? (['auth', 'roles', 'scopes', 'maxAge'] as const) : []),
    ...(directives.includes('federation') ? (['authenticated', 'requiresScopes'] as const) : []),
    ...(directives.includes('policies') ? (['policies', 'policy'] as const) : []),
  ];
}

function makeRule(kind: RuleMaker, pick: <T>(items: readonly T[]) => T): MadeRule {
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

function print({ kind, name, rules, fields, interfaces, members }: MadeType): string {
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
