import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createDeliveryMetrics } from './delivery-metrics.ts';

export type Metrics = {
  /** One answered call of the API. `route`: its method and path template, so that ids make no series of their own. */
  countCall(call: { route: string; status: number; method: string | undefined }): void;
  /** A call that usage does not count, since too much waited to be written. */
  countLostUsage(): void;
  countAlertMail(result: 'sent' | 'postponed' | 'given_up'): void;
  deliveries: ReturnType<typeof createDeliveryMetrics>;
  /** The whole exposition, in Prometheus' text format, and its media type. */
  render(): Promise<{ body: string; contentType: string }>;
};

/**
 * What an operator watches. `isDegraded` is asked at each scrape: whether limits are decided in this process because
 * Redis doesn't answer.
 */
export function createMetrics({ isDegraded }: { isDegraded(): boolean }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  /** Counted here, and told when asked: what a label costs the library at each count is more than the count. */
  const counted = new Map<string, { labels: Record<'route' | 'status' | 'method', string>; count: number }>();
  const calls: Counter = new Counter({
    name: 'promptreports_api_requests_total',
    help: 'Answered calls of the API, by route, status and authentication method.',
    labelNames: ['route', 'status', 'method'],
    registers: [registry],
    collect: () => {
      calls.reset();
      for (const { labels, count } of counted.values()) calls.inc(labels, count);
    },
  });
  const degraded: Gauge = new Gauge({
    name: 'promptreports_limits_degraded',
    help: '1 while limits are decided in this process at half, because Redis does not answer; else 0.',
    registers: [registry],
    collect: () => degraded.set(isDegraded() ? 1 : 0),
  });
  const lostUsage = new Counter({
    name: 'promptreports_usage_lost_calls_total',
    help: 'Calls that usage does not count, since too much waited to be written.',
    registers: [registry],
  });
  const alertMails = new Counter({
    name: 'promptreports_alert_mails_total',
    help: 'Attempts to hand on a mail of an alert, by what became of it.',
    labelNames: ['result'],
    registers: [registry],
  });

  return {
    countLostUsage: () => lostUsage.inc(),
    countAlertMail: (result) => alertMails.inc({ result }),
    deliveries: createDeliveryMetrics(registry),
    countCall: ({ route, status, method = 'none' }) => {
      const key = `${status} ${method} ${route}`;
      const known = counted.get(key);
      if (known) known.count++;
      else counted.set(key, { labels: { route, status: String(status), method }, count: 1 });
    },
    render: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
