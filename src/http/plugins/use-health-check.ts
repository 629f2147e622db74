// Liveness and readiness, for whoever decides where requests go.
import type { Plugin } from 'graphql-yoga';
import { withTimeout } from '../../utils/with-timeout.ts';

const READY = '/health/ready';
/** The first is that of Yoga's own check. */
const PATHS: ReadonlySet<string> = new Set(['/health', '/health/live', READY]);

/**
 * `GET /health/live` answers 200 while the process runs. `GET /health/ready` answers 200 where every check resolves
 * within its time, 503 where not, and says which failed.
 */
export function useHealthCheck(checks: Readonly<Record<string, () => unknown>>, timeoutMs = 2_000): Plugin {
  return {
    async onRequest({ url, fetchAPI, endResponse }) {
      if (!PATHS.has(url.pathname)) return;
      const selected = url.pathname === READY ? Object.entries(checks) : [];
      const results = await Promise.all(
        selected.map(async ([name, check]) => [name, await passes(check, timeoutMs)] as const),
      );
      const isHealthy = results.every(([, passed]) => passed);
      const body = {
        status: isHealthy ? 'ok' : 'unavailable',
        ...(results.length > 0 && {
          checks: Object.fromEntries(results.map(([name, passed]) => [name, passed ? 'ok' : 'failed'])),
        }),
      };
      endResponse(
        new fetchAPI.Response(JSON.stringify(body), {
          status: isHealthy ? 200 : 503,
          headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
        }),
      );
    },
  };
}

async function passes(check: () => unknown, timeoutMs: number): Promise<boolean> {
  try {
    await withTimeout(Promise.try(check), timeoutMs);
    return true;
  } catch {
    return false;
  }
}
