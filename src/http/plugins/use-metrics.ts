// Metrics for Prometheus.
import type { Plugin } from 'graphql-yoga';
import type { Metrics } from '../../operations/metrics.ts';

export const METRICS_PATH = '/metrics';

/**
 * Counts responses by status, and serves `GET /metrics` in Prometheus' text format.
 *
 * @param isServed false if the metrics are off, or have a port of their own
 */
export function useMetrics({ registry, countResponse }: Metrics, isServed: boolean): Plugin {
  return {
    async onRequest({ url, request, fetchAPI, endResponse }) {
      if (!isServed || url.pathname !== METRICS_PATH) return;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        endResponse(new fetchAPI.Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } }));
        return;
      }
      endResponse(
        new fetchAPI.Response(await registry.metrics(), {
          headers: { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' },
        }),
      );
    },
    onResponse({ response }) {
      countResponse(response.status);
    },
  };
}
