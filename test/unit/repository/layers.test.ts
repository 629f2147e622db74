// The direction of imports, and what the package offers.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const SRC = join(ROOT, 'src');

interface Import {
  /** Relative to src, such as `storage/store.ts`; a package’s name for what is not ours. */
  from: string;
  isType: boolean;
}

const STATEMENT =
  /^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm;
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const textOf = (file: string) => readFileSync(join(SRC, file), 'utf8');

function importsOf(file: string): Import[] {
  return [...textOf(file).matchAll(STATEMENT)].map(([, type, named, dynamic, bare]) => {
    const specifier = named ?? dynamic ?? bare ?? '';
    const from = specifier.startsWith('.') ? relative(SRC, resolve(SRC, file, '..', specifier)) : specifier;
    return { from, isType: type !== undefined };
  });
}

/** Each import, other than of types, by `folders` of something in `forbidden`. */
function wrongWay(folders: readonly string[], forbidden: readonly string[]): string[] {
  const isIn = (path: string, places: readonly string[]) =>
    places.some((place) => path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`));
  return files
    .filter((file) => isIn(file, folders))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ from, isType }) => !isType && isIn(from, forbidden))
        .map(({ from }) => `${file} imports ${from}`),
    );
}

const INNERMOST = ['tokens', 'authorization', 'passwords', 'storage', 'sessions', 'rate-limits'];
const OUTERMOST = ['http', 'commands', 'bandha.ts', 'cli.ts', 'index.ts', 'config'];

describe('imports', () => {
  it('are found by this test, or it would hold nothing', () => {
    expect(importsOf('bandha.ts')).toContainEqual({ from: 'storage/open-store.ts', isType: false });
    expect(importsOf('bandha.ts')).toContainEqual({ from: 'storage/store.ts', isType: true });
    expect(importsOf('index.ts')).toContainEqual({ from: 'bandha.ts', isType: false });
    expect(importsOf('http/yoga.ts')).toContainEqual({
      from: 'graphql-yoga',
      isType: false,
    });
    expect(files.flatMap(importsOf).length).toBeGreaterThan(150);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['the innermost folders', INNERMOST, ['accounts', 'graphql/', 'context.ts', ...OUTERMOST]],
    ['accounts', ['accounts'], ['graphql/', 'context.ts', 'authorization', ...OUTERMOST]],
    ['resolvers and the schema', ['graphql/'], OUTERMOST],
    ['the context', ['context.ts'], ['graphql/', ...OUTERMOST]],
    ['the HTTP side', ['http'], ['commands', 'bandha.ts', 'cli.ts', 'index.ts']],
    ['the server', ['bandha.ts'], ['commands', 'cli.ts', 'index.ts']],
  ])('of %s go one way', (_, folders, forbidden) => {
    expect(wrongWay(folders, forbidden)).toEqual([]);
  });

  it('of HTTP and the environment stay out of the inner folders; only the guard is a plugin of Yoga', () => {
    const inner = ['accounts', ...INNERMOST];
    expect(wrongWay(inner, ['node:http', 'node:https', 'node:process'])).toEqual([]);
    const withoutGuard = inner.filter((folder) => folder !== 'authorization');
    expect(wrongWay(withoutGuard, ['graphql-yoga'])).toEqual([]);
  });

  it('of the leaves are nobody’s, but for GraphiQL’s page, which is a client', () => {
    const leaves = ['testing', 'client', 'graphiql'];
    const others = files.filter((file) => !leaves.some((leaf) => file.startsWith(`${leaf}/`)));
    expect(others.length).toBeGreaterThan(100);
    expect(wrongWay(others, leaves)).toEqual([]);
    expect(wrongWay(['testing'], ['client', 'graphiql'])).toEqual([]);
  });

  it('of the clients stay among themselves, and of packages they want peers alone', () => {
    const clients = files.filter((file) => file.startsWith('client/'));
    const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const peers = Object.keys(peerDependencies);
    const isPeer = (from: string) => peers.some((peer) => from === peer || from.startsWith(`${peer}/`));
    const outside = clients
      .flatMap((file) => importsOf(file).map(({ from }) => from))
      .filter((from) => !from.startsWith('client/') && !isPeer(from));
    expect(clients.length).toBeGreaterThan(5);
    expect(outside).toEqual([]);
  });

  it('of the client alone want no package, and neither do they want the documents', () => {
    const reached = new Set(['client/index.ts']);
    for (const file of reached) for (const { from } of importsOf(file)) reached.add(from);
    expect([...reached].filter((from) => !/^client\/[a-z-]+\.ts$/.test(from))).toEqual([]);
    expect(reached).toContain('client/tabs.ts');
  });

  it('of cli.ts are nobody’s', () => {
    expect(files.filter((file) => importsOf(file).some(({ from }) => from === 'cli.ts'))).toEqual([]);
  });
});

describe('the process', () => {
  it('is read and ended in cli.ts alone', () => {
    const touches = files.filter((file) => /\bprocess\.(env|exit|exitCode|argv)\b/.test(textOf(file)));
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

  it.each(targets)('offers %s at %s, which has its source here and is published', (_, target) => {
    const source = target.replace(/^\.\/dist\/(.+?)(\.d\.ts|\.js)$/, './src/$1.ts');
    expect(existsSync(join(ROOT, source))).toBe(true);
    const [, top = ''] = target.split('/');
    expect([...published, 'package.json']).toContain(top);
  });

  it('names the types first, as TypeScript demands', () => {
    for (const target of Object.values<string | object>(exports)) {
      if (typeof target === 'object') expect(Object.keys(target)[0]).toBe('types');
    }
  });
});
