// Starts real Chromium from the package @sparticuz/chromium, without access to any host except the server under test.
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

/** The package contains an executable for Linux on x64 only. */
export const hasChromium: boolean = process.platform === 'linux' && process.arch === 'x64';

export interface TestBrowser {
  /** Starts without stored data; `blockedRequests` and `errors` cover all of its pages. */
  context: BrowserContext;
  page: Page;
  /** URLs on other hosts that pages tried to load. */
  blockedRequests: string[];
  /** Uncaught exceptions, console errors and failed requests. */
  errors: string[];
  close(): Promise<void>;
}

const FLAGS = [
  '--no-sandbox', // tests may run as root, which Chromium's sandbox does not support
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
  // No DNS lookups.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/**
 * Starts Chromium with one page.
 * @param origin of the server under test, such as `http://127.0.0.1:4000`; requests to any other are blocked
 */
export async function startChromium(origin: string): Promise<TestBrowser> {
  const folder = await unpack();
  const browser = await chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: FLAGS,
    headless: true,
    env: await createEnvironment(folder),
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const blockedRequests: string[] = [];
  const errors: string[] = [];
  const isAllowed = (url: string) =>
    !/^(https?|wss?):/.test(url) || new URL(url).host === new URL(origin).host;
  await context.route(
    (url) => !isAllowed(url.href),
    (route) => route.abort('blockedbyclient'),
  );
  await context.routeWebSocket(
    (url) => !isAllowed(url.href),
    (socket) => {
      blockedRequests.push(socket.url());
      return socket.close();
    },
  );
  context.on('request', (request) => {
    if (!isAllowed(request.url())) blockedRequests.push(request.url());
  });
  context.on('requestfailed', (request) => {
    errors.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { context, page: await context.newPage(), blockedRequests, errors, close: () => browser.close() };
}

/**
 * Unpacks the executable unless it is unpacked already. The package unpacks into the system's temporary folder and accepts an
 * incomplete folder there; so it gets a folder of its own, and a link to it is created atomically when it is complete. If
 * several processes unpack at the same time, the first one wins and the others delete their folders.
 * @returns the folder with the executable
 */
async function unpack(): Promise<string> {
  const folder = join(CACHE, await packageVersion());
  if (isComplete(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const temporaryFolder = await mkdtemp(join(CACHE, 'unpacked-'));
  try {
    const script = `await (await import(${JSON.stringify(import.meta.resolve(PACKAGE))})).default.executablePath()`;
    // Simulates AWS Lambda, because only there the package also unpacks its system libraries.
    const env = { ...process.env, TMPDIR: temporaryFolder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
    await run(process.execPath, ['--input-type=module', '--eval', script], { env });
    await writeFile(join(temporaryFolder, 'fonts.conf'), createFontsConfig(temporaryFolder));
    if (isComplete(folder)) await rm(temporaryFolder, { recursive: true });
    else {
      await symlink(temporaryFolder, `${temporaryFolder}.link`);
      await rename(`${temporaryFolder}.link`, folder);
    }
    return folder;
  } catch (error) {
    await rm(temporaryFolder, { recursive: true, force: true });
    throw error;
  }
}

const isComplete = (folder: string) => existsSync(join(folder, 'chromium'));

async function packageVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(PACKAGE);
  return JSON.parse(await readFile(join(entry, '../../package.json'), 'utf8')).version;
}

/** Lists the system's fonts and the package's own, so that text is visible on a system without fonts. */
function createFontsConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;
}

/** Adds the package's own libraries (NSS, Expat) if the system lacks some. */
async function createEnvironment(folder: string): Promise<Record<string, string>> {
  const { LD_LIBRARY_PATH: libraryPath, ...inherited } = process.env;
  const env = { ...inherited, FONTCONFIG_FILE: join(folder, 'fonts.conf') } as Record<string, string>; // defined values only
  const { stdout } = await run('ldd', [join(folder, 'chromium')]).catch(() => ({ stdout: 'not found' }));
  const libraries = [...(stdout.includes('not found') ? [join(folder, 'al2023/lib')] : []), libraryPath];
  return { ...env, LD_LIBRARY_PATH: libraries.filter(Boolean).join(':') };
}
