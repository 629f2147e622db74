// Real Chromium out of the package @sparticuz/chromium, cut off from every host but this machine's own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const run = promisify(execFile);
const PACKAGE = '@sparticuz/chromium';
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/bandha-chromium');

/** The package holds a program for Linux on x64 alone. */
export const hasChromium: boolean = process.platform === 'linux' && process.arch === 'x64';

export interface TestBrowser {
  /** With nothing stored; every page of it is watched. */
  context: BrowserContext;
  page: Page;
  /** What pages asked of hosts other than the one allowed; each was refused. */
  foreignRequests: string[];
  /** Uncaught exceptions, console errors, and requests that failed. */
  problems: string[];
  close(): Promise<void>;
}

const FLAGS = [
  '--no-sandbox', // tests may run as root, where Chromium's sandbox does not
  '--no-zygote',
  '--disable-gpu',
  '--disable-dev-shm-usage', // /dev/shm of a container is often too small
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
  '--no-pings',
  // Not even a name is looked up.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/**
 * Starts Chromium with one page.
 * @param origin the server under test, such as `http://127.0.0.1:4000`: the only one that is reached
 */
export async function startChromium(origin: string): Promise<TestBrowser> {
  const folder = await unpack();
  const browser = await chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: FLAGS,
    headless: true,
    env: await environment(folder),
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const foreignRequests: string[] = [];
  const problems: string[] = [];
  const isAllowed = (url: string) =>
    !/^(https?|wss?):/.test(url) || new URL(url).host === new URL(origin).host;
  await context.route(
    (url) => !isAllowed(url.href),
    (route) => route.abort('blockedbyclient'),
  );
  await context.routeWebSocket(
    (url) => !isAllowed(url.href),
    (socket) => {
      foreignRequests.push(socket.url());
      return socket.close();
    },
  );
  context.on('request', (request) => {
    if (!isAllowed(request.url())) foreignRequests.push(request.url());
  });
  context.on('requestfailed', (request) => {
    problems.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return { context, page: await context.newPage(), foreignRequests, problems, close: () => browser.close() };
}

/**
 * The folder with the program, unpacked where it is missing. The package itself unpacks into the system's temporary
 * folder, and takes for whole whatever stands there; so it is lent a folder of its own, which a link then names at
 * once. Of several that unpack at the same time, all but the first throw their own away.
 */
async function unpack(): Promise<string> {
  const folder = join(CACHE, await packageVersion());
  if (isWhole(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, 'unpacked-'));
  try {
    const script = `await (await import(${JSON.stringify(import.meta.resolve(PACKAGE))})).default.executablePath()`;
    // As on Amazon Linux: only there does the package unpack its system libraries too.
    const env = { ...process.env, TMPDIR: draft, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
    await run(process.execPath, ['--input-type=module', '--eval', script], { env });
    await writeFile(join(draft, 'fonts.conf'), fontsConfig(draft));
    if (isWhole(folder)) await rm(draft, { recursive: true });
    else {
      await symlink(draft, `${draft}.link`);
      await rename(`${draft}.link`, folder);
    }
    return folder;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

const isWhole = (folder: string) => existsSync(join(folder, 'chromium'));

async function packageVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(PACKAGE);
  return JSON.parse(await readFile(join(entry, '../../package.json'), 'utf8')).version;
}

/** The system's fonts where it has some, and the package's own, so that there is always text to see. */
function fontsConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;
}

/** The package's own libraries (NSS, Expat) stand in where the system lacks some. */
async function environment(folder: string): Promise<Record<string, string>> {
  const { LD_LIBRARY_PATH: given, ...inherited } = process.env;
  const env = { ...inherited, FONTCONFIG_FILE: join(folder, 'fonts.conf') } as Record<string, string>; // as Node gives it
  const { stdout } = await run('ldd', [join(folder, 'chromium')]).catch(() => ({ stdout: 'not found' }));
  const libraries = [...(stdout.includes('not found') ? [join(folder, 'al2023/lib')] : []), given];
  return { ...env, LD_LIBRARY_PATH: libraries.filter(Boolean).join(':') };
}
