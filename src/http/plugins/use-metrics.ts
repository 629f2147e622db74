// Counts responses, and serves the metrics to Prometheus.
import type { Plugin } from 'graphql-yoga';
import type { Metrics } from '../../operations/metrics.ts';
import { isReadMethod, methodNotAllowed } from '../responses.ts';

export const METRICS_PATH = '/metrics';

/**
 * Counts responses by status, and serves `GET /metrics` in Prometheus' text format.
 *
 * @param isServed false if the metrics are disabled or served on a separate port
 */
export function useMetrics({ registry, countResponse }: Metrics, isServed: boolean): Plugin {
  return {
    async onRequest({ url, request, fetchAPI, endResponse }) {
      if (!isServed || url.pathname !== METRICS_PATH) return;
      if (!isReadMethod(request.method)) {
        endResponse(methodNotAllowed(fetchAPI));
        return;
      }
      endResponse(
        new fetchAPI.Response(await registry.metrics(), {
          headers: { 'Content-Type': registry.contentType },
        }),
      );
    },
    onResponse({ response }) {
      countResponse(response.status);
    },
  };
}
