// The servers that are compared, and what they run on.
import { spawnSync } from 'node:child_process';
import { versionsOf } from './install-contenders.ts';

export type ContenderName = 'echo' | 'bandha' | 'mercurius' | 'yoga' | 'apollo' | 'betterAuth' | 'fastapi';

export interface ContenderKind {
  name: ContenderName;
  title: string;
  /** In `bench/contenders`. */
  file: string;
  runtime: string;
  /** Sent by a signed-in caller. */
  credential: 'EdDSA' | 'HS256' | 'cookie';
  /** False for the echo, which has no authentication. */
  checksTokens: boolean;
  /** Packages with versions, for the report. */
  versions: string;
}

type Row = Pick<ContenderKind, 'title' | 'file'> & Partial<ContenderKind> & { packages?: readonly string[] };

const ROWS: Record<Exclude<ContenderName, 'fastapi'>, Row> = {
  echo: { title: 'bare `node:http` echo', file: 'echo.ts', checksTokens: false },
  bandha: { title: '**Bandha**', file: 'bandha.ts' },
  mercurius: {
    title: 'Mercurius, JIT, cached tokens',
    file: 'mercurius.js',
    packages: ['mercurius', 'mercurius-auth', 'fast-jwt', 'fastify'],
  },
  yoga: {
    title: 'Yoga, generic-auth, jose',
    file: 'yoga-generic-auth.js',
    packages: ['graphql-yoga', '@envelop/generic-auth', 'jose'],
  },
  apollo: {
    title: 'Apollo Server, jose',
    file: 'apollo-server.js',
    packages: ['@apollo/server', '@as-integrations/fastify', 'jose'],
  },
  betterAuth: {
    title: 'better-auth, session check alone',
    file: 'better-auth.js',
    credential: 'cookie',
    packages: ['better-auth'],
  },
};

const NODE_CONTENDERS: readonly ContenderKind[] = Object.entries(ROWS).map(
  ([name, { packages = [], ...row }]) => ({
    name: name as ContenderName, // a key of ROWS
    runtime: process.execPath,
    credential: 'EdDSA',
    checksTokens: true,
    versions: versionsOf(packages).join(', '),
    ...row,
  }),
);

const PYTHON_VERSIONS = `
import importlib, platform
parts = ["python " + platform.python_version()]
for name in ("fastapi", "uvicorn", "uvloop", "httptools"):
    try:
        parts.append(name + " " + importlib.import_module(name).__version__)
    except ImportError:
        if name in ("fastapi", "uvicorn"):
            raise
print(", ".join(parts))
`;

/** FastAPI is included if a Python here has fastapi and uvicorn, for example from Debian's packages. */
export function listContenders(note: (progress: string) => void): ContenderKind[] {
  for (const runtime of ['/usr/bin/python3', 'python3']) {
    const { status, stdout } = spawnSync(runtime, ['-c', PYTHON_VERSIONS], { encoding: 'utf8' });
    if (status !== 0) continue;
    const fastApi: ContenderKind = {
      name: 'fastapi',
      title: 'FastAPI route, HS256',
      file: 'fastapi_route.py',
      runtime,
      credential: 'HS256',
      checksTokens: true,
      versions: stdout.trim(),
    };
    return [...NODE_CONTENDERS, fastApi];
  }
  note('FastAPI is left out: no python3 here has fastapi and uvicorn');
  return [...NODE_CONTENDERS];
}

export const [BANDHA] = selectContenders('bandha') as [ContenderKind]; // a name of ROWS

export function selectContenders(...names: readonly ContenderName[]): ContenderKind[] {
  return NODE_CONTENDERS.filter(({ name }) => names.includes(name));
}
