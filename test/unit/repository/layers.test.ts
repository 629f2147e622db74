// The direction of imports, types included, as CONTRIBUTING.md has it; and what the package offers.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const SRC = join(ROOT, 'src');

const STATEMENT =
  /^(?:import|export)\s+(?:type\s)?[^'";]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm;
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const textOf = (file: string) => readFileSync(join(SRC, file), 'utf8');

/** Imports and re-exports of values and of types: files relative to src, such as `storage/store.ts`, and names of packages. */
function readImports(file: string): string[] {
  return [...textOf(file).matchAll(STATEMENT)].map(([, named, dynamic, bare]) => {
    const specifier = named ?? dynamic ?? bare ?? '';
    return specifier.startsWith('.') ? relative(SRC, resolve(SRC, file, '..', specifier)) : specifier;
  });
}

const imports = new Map(files.map((file) => [file, readImports(file)]));
/** Imports of files of ours; a page also imports style sheets and the like, which have no imports. */
const ownImports = (file: string) => imports.get(file)?.filter((from) => imports.has(from)) ?? [];
const isPackage = (from: string) => !existsSync(join(SRC, from));

interface Layer {
  /** A folder or file in src. */
  name: string;
  /** Names of layers. */
  mayImport: ReadonlySet<string>;
}

/** The table of CONTRIBUTING.md. */
function readLayers(): Layer[] {
  const rows = [
    ...readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').matchAll(/^\| `src\/(\S+)` \|.*\| ([^|]+) \|$/gm),
  ].map(([, name = '', rule = '']) => ({ name, rule }));
  const names = rows.map(({ name }) => name);
  const listed = (rule: string) => [...rule.matchAll(/`src\/(\S+?)`/g)].map(([, name = '']) => name);
  return rows.map(({ name, rule }, index) => {
    const allowed: Record<string, string[]> = { 'rows above': names.slice(0, index), nothing: [] };
    const others = rule.startsWith('all but ')
      ? names.slice(0, index).filter((other) => !listed(rule).includes(other))
      : (allowed[rule] ?? listed(rule));
    return { name, mayImport: new Set([name, ...others]) };
  });
}

const layers = readLayers();
const layerOf = (file: string) => layers.find(({ name }) => file === name || file.startsWith(`${name}/`));

/** Files that can be reached from `start` by imports. */
function reach(start: string): Set<string> {
  const reached = new Set<string>();
  const pending = ownImports(start);
  for (const file of pending) {
    if (reached.has(file)) continue;
    reached.add(file);
    pending.push(...ownImports(file));
  }
  return reached;
}

describe('imports', () => {
  it('reads imports of values, of types and of packages, and the table of layers', () => {
    expect(imports.get('bandha.ts')).toEqual(
      expect.arrayContaining(['storage/open-store.ts', 'storage/store.ts']),
    );
    expect(imports.get('http/yoga.ts')).toContain('graphql-yoga');
    expect([...imports.values()].flat().length).toBeGreaterThan(900);
    expect(layers.length).toBeGreaterThan(15);
    expect(layers.find(({ name }) => name === 'graphiql')?.mayImport).toEqual(
      new Set(['graphiql', 'client', 'authorization']),
    );
  });

  it('every file belongs to a row of the table in CONTRIBUTING.md', () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
    expect(layers.filter(({ name }) => !existsSync(join(SRC, name)))).toEqual([]);
  });

  it('no folder imports from a row below it, types included', () => {
    const upward = files.flatMap((file) =>
      ownImports(file)
        .filter((from) => !layerOf(file)?.mayImport.has(layerOf(from)?.name ?? ''))
        .map((from) => `${file} imports ${from}`),
    );
    expect(upward).toEqual([]);
  });

  it('no file imports itself through others, types included', () => {
    expect(files.filter((file) => reach(file).has(file))).toEqual([]);
  });

  it('no folder below http imports HTTP or the process, and only plugins import Yoga', () => {
    const inner = files.filter((file) =>
      /^(utils|sessions|passwords|storage|tokens|rate-limits|config|accounts)\//.test(file),
    );
    const forbidden = inner.flatMap((file) =>
      (imports.get(file) ?? [])
        .filter((from) => /^(node:https?|node:process|graphql-yoga)$/.test(from))
        .map((from) => `${file} imports ${from}`),
    );
    // Types of headers and requests, and the version of Node.
    expect(forbidden).toEqual([
      'tokens/authenticate.ts imports node:http',
      'utils/node-version.ts imports node:process',
      'utils/request-headers.ts imports node:http',
    ]);
  });

  it('the client imports packages that are peers alone', () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const peers = Object.keys(peerDependencies);
    const isPeer = (from: string) => peers.some((peer) => from === peer || from.startsWith(`${peer}/`));
    const clients = files.filter((file) => file.startsWith('client/'));
    expect(clients.length).toBeGreaterThan(5);
    const packages = clients.flatMap((file) => imports.get(file)?.filter(isPackage) ?? []);
    expect(packages.filter((from) => !isPeer(from))).toEqual([]);
  });

  it('bandha/client needs no package and no typed documents', () => {
    const reached = [...reach('client/index.ts'), 'client/index.ts'];
    expect(reached).toContain('client/tabs.ts');
    expect(reached.flatMap((file) => imports.get(file)?.filter(isPackage) ?? [])).toEqual([]);
    expect(reached).not.toContain('client/documents.generated.ts');
  });

  it('the GraphiQL page imports only types from outside the client', () => {
    const values = files
      .filter((file) => file.startsWith('graphiql/'))
      .flatMap((file) =>
        [...textOf(file).matchAll(/^import (?!type\b)[^;]*?from '(\.[^']+)'/gm)].map((match) => [
          file,
          match[1],
        ]),
      )
      .map(([file = '', from = '']) => relative(SRC, resolve(SRC, file, '..', from)));
    expect(values.length).toBeGreaterThan(10);
    expect(values.filter((from) => !/^(graphiql|client)\//.test(from))).toEqual([]);
  });

  it('no file imports cli.ts', () => {
    expect(files.filter((file) => ownImports(file).includes('cli.ts'))).toEqual([]);
  });
});

describe('the process', () => {
  it('only cli.ts reads the environment and ends the process', () => {
    const codeOf = (file: string) => textOf(file).replaceAll(/\/\*\*.*?\*\//gs, ''); // without examples in doc comments
    const touches = files.filter((file) => /\bprocess\.(env|exit|exitCode|argv)\b/.test(codeOf(file)));
    expect(touches).toEqual(['cli.ts']);
    // The exceptions import what they use by name: Node's version, and NODE_ENV for createBandha.
    const named = files.filter((file) => /import .*\{[^}]+\} from 'node:process'/.test(textOf(file)));
    expect(named.toSorted()).toEqual(['bandha.ts', 'utils/node-version.ts']);
    expect(textOf('bandha.ts').match(/\benv\.\w+/g)).toEqual(['env.NODE_ENV']);
  });
});

describe('the package', () => {
  const { exports, bin, files: published } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const targets: [string, string][] = [
    ...Object.entries<string | Record<string, string>>(exports).flatMap(([name, target]) =>
      Object.values(typeof target === 'string' ? { target } : target).map((path): [string, string] => [
        name,
        path,
      ]),
    ),
    ...Object.entries<string>(bin),
  ];

  it.each(targets)('%s at %s has a source here and is published', (_, target) => {
    const source = target.replace(/^\.\/dist\/(.+?)(\.d\.ts|\.js)$/, './src/$1.ts');
    expect(existsSync(join(ROOT, source))).toBe(true);
    const [, top = ''] = target.split('/');
    expect([...published, 'package.json']).toContain(top);
  });

  it('every entry names its types first, as TypeScript requires', () => {
    for (const target of Object.values<string | object>(exports)) {
      if (typeof target === 'object') expect(Object.keys(target)[0]).toBe('types');
    }
  });
});
