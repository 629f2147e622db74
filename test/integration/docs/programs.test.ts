// The complete programs of README.md and of the guide, run as they stand.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CodeBlock, listPages, ROOT, readBlocks } from '../../support/docs/pages.ts';
import {
  createWorkspace,
  hasShell,
  runSession,
  startServer,
  type Workspace,
} from '../../support/docs/run-blocks.ts';
import { register, sendOperation } from '../../support/test-server.ts';

const run = promisify(execFile);
const PACKAGES = ['@envelop', 'express', 'graphql', 'graphql-ws', 'graphql-yoga', 'pino', 'vitest', 'ws'];

let workspace: Workspace;
beforeAll(() => {
  workspace = createWorkspace(PACKAGES);
});
afterAll(() => workspace.remove());

const programs = listPages()
  .filter((page) => page === 'README.md' || page.startsWith('docs/guide/'))
  .flatMap(readBlocks)
  .filter(({ language }) => language === 'ts');
/** Those that are `server.ts` have a test of their own. */
const servers = programs.filter(({ code }) => /\.listen\(/.test(code) && !code.startsWith('// server.ts'));

function findProgram(page: string, text: string): CodeBlock {
  const block = programs.find((one) => one.page === page && one.code.includes(text));
  if (block === undefined) throw new Error(`${page} has no program with ${text}`);
  return block;
}

describe('servers', () => {
  it('the pages have servers', () => {
    expect(servers.length).toBeGreaterThan(8);
  });

  it.each(servers.map((block) => [`${block.page}:${block.line}`, block] as const))(
    'the server of %s starts and serves GraphQL',
    async (_, block) => {
      const { url, stop } = await startServer(workspace, block);
      try {
        const { status, body } = await sendOperation(url, '{ __typename }');
        expect({ status, body }).toEqual({ status: 200, body: { data: { __typename: 'Query' } } });
      } finally {
        await stop();
      }
    },
  );

  it.each([
    ['README.md', '{ greeting }', '{ payroll { total } }'],
    ['docs/guide/your-schema.md', '{ invoices { total } }', '{ payroll }'],
  ])('server.ts of %s protects its schema', async (page, forUsers, forAccountants) => {
    const { url, stop } = await startServer(workspace, findProgram(page, '// server.ts'));
    try {
      const news = await sendOperation(url, '{ news }');
      expect(news.body.data.news).toEqual(['Open to everyone']);
      expect((await sendOperation(url, forUsers)).status).toBe(401);
      const { accessToken: token } = await register(url);
      const { status, body } = await sendOperation(url, forUsers, { token });
      expect(status).toBe(200);
      expect(body.errors).toBeUndefined();
      const payroll = await sendOperation(url, forAccountants, { token });
      expect(payroll.body.errors[0].extensions.reason).toBe('MISSING_ROLE');
    } finally {
      await stop();
    }
  });

  it.skipIf(!hasShell)('the session of Your own schema adds an invoice and a role', async () => {
    const page = 'docs/guide/your-schema.md';
    const { url, stop } = await startServer(workspace, findProgram(page, '// server.ts'));
    try {
      const session = readBlocks(page).filter(
        ({ language, code }) => language === 'sh' && /^send\b/m.test(code),
      );
      const [before = '', after = ''] = await runSession(session, { url, cwd: workspace.folder });
      const [added, read, denied] = before.split('\n').map((text) => JSON.parse(text));
      expect(added.data.addInvoice.id).toBe('1');
      expect(read.data).toEqual({ news: ['Open to everyone'], invoices: [{ id: '1', total: 120 }] });
      expect(denied.errors[0].extensions.reason).toBe('MISSING_ROLE');
      expect(JSON.parse(after.split('\n').at(-1) ?? '').data.payroll).toMatch(/^For accountants/);
    } finally {
      await stop();
    }
  });

  it.each([
    ['docs/guide/existing-yoga-server.md', 'plugins: [useGuard()]', '{ report }'],
    ['docs/guide/from-generic-auth.md', 'useGenericAuth({', '{ account report }'],
  ])('the API keys of %s give access', async (page, text, query) => {
    const { url, stop } = await startServer(workspace, findProgram(page, text));
    try {
      expect((await sendOperation(url, '{ news }')).status).toBe(200);
      expect((await sendOperation(url, query)).status).toBe(401);
      const headers = { 'x-api-key': 'key-of-ada' };
      expect((await sendOperation(url, query, { headers })).body.errors).toBeUndefined();
    } finally {
      await stop();
    }
  });

  it('the route of From FastAPI is protected', async () => {
    const program = findProgram('docs/guide/from-fastapi.md', 'bandha.authenticate(');
    const { url, stop } = await startServer(workspace, program);
    try {
      const { accessToken } = await register(url);
      const headers = { authorization: `Bearer ${accessToken}` };
      const anonymous = await fetch(`${url}/report`);
      expect([anonymous.status, await anonymous.text()]).toEqual([403, 'Sign in first']);
      const signedIn = await fetch(`${url}/report`, { headers });
      expect([signedIn.status, await signedIn.text()]).toEqual([403, expect.stringMatching(/^Hello /)]);
    } finally {
      await stop();
    }
  });
});

describe('the page Testing', () => {
  const PAGE = 'docs/guide/testing.md';

  it('the tests of the page pass', async () => {
    const file = workspace.write(findProgram(PAGE, '// schema.test.ts'));
    // As in this checkout: Node loads the sources of Bandha, which a project would have compiled.
    const config = 'export default { test: { experimental: { viteModuleRunner: false } } };';
    writeFileSync(join(workspace.folder, 'vitest.config.js'), config);
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { stdout } = await run(process.execPath, [vitest, 'run', file], {
      cwd: workspace.folder,
      env: { PATH: process.env.PATH, NO_COLOR: '1' },
    });
    expect(stdout).toMatch(/Tests +2 passed/);
  });

  it('the server in memory prints what the page shows', async () => {
    const block = findProgram(PAGE, "databaseUrl: 'sqlite::memory:'");
    const { stdout } = await run(process.execPath, [workspace.write(block)], { cwd: workspace.folder });
    const [, expected] = /console\.log\(.*\); \/\/ (.*)/.exec(block.code) ?? [];
    expect(stdout.trim()).toBe(expected);
  });
});
