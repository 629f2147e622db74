// Metrics for Prometheus.
import type { Plugin } from 'graphql-yoga';
import type { Metrics } from '../metrics.ts';

const METRICS_PATH = '/metrics';

/** Counts answers by status, and serves `GET /metrics` in Prometheus' text format. */
export function useMetrics({ registry, countResponse }: Metrics): Plugin {
  return {
    async onRequest({ url, request, fetchAPI, endResponse }) {
      if (url.pathname !== METRICS_PATH) return;
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
