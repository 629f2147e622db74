// Serves liveness and readiness checks for load balancers and orchestrators.
import type { Plugin } from 'graphql-yoga';
import { withTimeout } from '../../utils/with-timeout.ts';

const READY = '/health/ready';
/** `/health` is the path of Yoga's own check, which this one replaces. */
const PATHS: ReadonlySet<string> = new Set(['/health', '/health/live', READY]);

/**
 * `GET /health/live` responds with 200 while the process runs. `GET /health/ready` responds with 200 if every check resolves
 * within `timeoutMs`, otherwise with 503; the body lists the result of each check.
 *
 * @param checks functions by name; a check fails if it throws or rejects
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
          headers: { 'Content-Type': 'application/json' },
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
