// Generates operations on a generated schema: aliases, fragments, conditions, several operations in a document.
import fc, { type GeneratorValue } from 'fast-check';
import type { GeneratedSchema } from './schema.ts';

export interface GeneratedOperation {
  document: string;
  operationName: string;
  variables: Record<string, boolean>;
}

/** The features that generated operations may use. */
export interface OperationLimits {
  fragments: boolean;
  conditions: boolean;
  /** Whether the document may have a second operation. */
  siblings: boolean;
  /** Whether operations may select `__typename`. */
  typenames: boolean;
}

const MAX_DEPTH = 4;
const MAX_SELECTIONS = 25;
/** The variables of each operation with their defaults. Only `v0` always has a value in the request, and `v2` sometimes. */
const VARIABLES = { v0: '', v1: ' = true', v2: ' = false' };

/** Generates a document, the name of the operation to run, and its variables. */
export function generateOperation(
  g: GeneratorValue,
  schema: GeneratedSchema,
  limits: OperationLimits,
): GeneratedOperation {
  const pick = <T>(items: readonly T[]): T => g(() => fc.constantFrom(...items));
  const count = (min: number, max: number) => g(() => fc.integer({ min, max }));
  const fragments: string[] = [];
  let aliases = 0;
  let selected = 0;

  const condition = (): string => {
    if (!limits.conditions || count(0, 3) > 0) return '';
    const value = pick(['true', 'false', '$v0', '$v1', '$v2']);
    return ` @${pick(['skip', 'include'])}(if: ${value})`;
  };

  function selections(typeName: string, depth: number): string {
    const type = schema.types.get(typeName);
    const parts: string[] = [];
    for (const field of type?.fields ?? []) {
      const isComposite = schema.types.get(field.returns)?.kind !== 'leaf';
      if (isComposite && depth >= MAX_DEPTH) continue;
      if (selected >= MAX_SELECTIONS) break;
      for (let i = count(0, 4) === 0 ? 2 : count(0, 1); i > 0; i -= 1) {
        aliases += 1;
        selected += 1;
        const alias = count(0, 2) === 0 ? '' : `k${aliases}: `;
        const below = isComposite ? ` ${selections(field.returns, depth + 1)}` : '';
        parts.push(`${alias}${field.name}${condition()}${below}`);
      }
    }
    if (limits.fragments && depth < MAX_DEPTH && selected < MAX_SELECTIONS) {
      for (let i = count(0, type?.kind === 'object' ? 1 : 2); i > 0; i -= 1)
        parts.push(fragment(typeName, depth));
    }
    if (parts.length === 0 || (limits.typenames && count(0, 4) === 0)) parts.push(typenameOrLeaf(typeName));
    return `{ ${parts.join(' ')} }`;
  }

  function typenameOrLeaf(typeName: string): string {
    const leaf = schema.types
      .get(typeName)
      ?.fields.find(({ returns }) => schema.types.get(returns)?.kind === 'leaf');
    aliases += 1;
    if (!limits.typenames && leaf) return `k${aliases}: ${leaf.name}`;
    return '__typename';
  }

  function fragment(typeName: string, depth: number): string {
    const objects = schema.objectsOf(typeName);
    const candidates = [...schema.types.values()].filter(
      ({ kind, name }) =>
        kind !== 'leaf' && schema.objectsOf(name).some((object) => objects.includes(object)),
    );
    const on = pick(candidates).name;
    const body = selections(on, depth + 1);
    if (count(0, 1) === 0) return `... on ${on}${condition()} ${body}`;
    const name = `F${fragments.length}`;
    fragments.push(`fragment ${name} on ${on} ${body}`);
    return `...${name}${condition()}`;
  }

  const header = limits.conditions
    ? `(${Object.entries(VARIABLES)
        .map(([name, value]) => `$${name}: Boolean!${value}`)
        .join(', ')})`
    : '';
  const names = limits.siblings ? ['A', 'B'].slice(0, count(1, 2)) : ['A'];
  const operations = names.map((name) => `query ${name}${header} ${selections('Query', 0)}`);
  const variables: Record<string, boolean> = limits.conditions ? { v0: g(fc.boolean) } : {};
  if (limits.conditions && g(fc.boolean)) variables.v2 = g(fc.boolean);
  return { document: [...operations, ...fragments].join('\n'), operationName: pick(names), variables };
}
