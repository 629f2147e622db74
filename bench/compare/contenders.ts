// Who is compared, and where what they run on is to be found.
import { spawnSync } from 'node:child_process';
import { versionsOf } from './install-contenders.ts';

export type ContenderName = 'echo' | 'bandha' | 'mercurius' | 'yoga' | 'apollo' | 'betterAuth' | 'fastapi';

export interface Kind {
  name: ContenderName;
  title: string;
  /** In `bench/contenders`. */
  file: string;
  runtime: string;
  /** What a request of a caller who is signed in carries. */
  credential: 'EdDSA' | 'HS256' | 'cookie';
  /** The echo answers whoever asks. */
  refuses: boolean;
  /** With versions. */
  madeOf: string;
}

type Row = Pick<Kind, 'title' | 'file'> & Partial<Kind> & { packages?: readonly string[] };

const ROWS: Record<Exclude<ContenderName, 'fastapi'>, Row> = {
  echo: { title: 'bare `node:http` echo', file: 'echo.ts', refuses: false },
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

export const NODE_KINDS: readonly Kind[] = Object.entries(ROWS).map(([name, { packages = [], ...row }]) => ({
  name: name as ContenderName, // a key of ROWS
  runtime: process.execPath,
  credential: 'EdDSA',
  refuses: true,
  madeOf: versionsOf(packages).join(', '),
  ...row,
}));

const VERSIONS = `
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

/** @returns undefined where no Python here has FastAPI and uvicorn, as of Debian's `python3-fastapi` and `uvicorn` */
export function findFastApi(): Kind | undefined {
  for (const runtime of ['/usr/bin/python3', 'python3']) {
    const { status, stdout } = spawnSync(runtime, ['-c', VERSIONS], { encoding: 'utf8' });
    if (status !== 0) continue;
    const kind: Omit<Kind, 'title' | 'madeOf'> = {
      name: 'fastapi',
      file: 'fastapi_route.py',
      runtime,
      credential: 'HS256',
      refuses: true,
    };
    return { ...kind, title: 'FastAPI route, HS256', madeOf: stdout.trim() };
  }
  return undefined;
}

export function kindsOf(...names: readonly ContenderName[]): Kind[] {
  return NODE_KINDS.filter(({ name }) => names.includes(name));
}
