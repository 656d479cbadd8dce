import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const LANES = ['prompt', 'slow'];
const DISABLED_FOR = ['gone', 'failing', 'backlog'];
const WAIT_BUCKETS = [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800];

/** What an operator watches of webhooks. docs/metrics.md says what each is good for. */
export function createDeliveryMetrics(registry: Registry) {
  const registers = [registry];
  const queued = new Counter({
    name: 'promptreports_webhook_deliveries_queued_total',
    help: 'Deliveries that this process wrote to the queue, those of changes that were rolled back included.',
    registers,
  });
  const attempts = new Counter({
    name: 'promptreports_webhook_attempts_total',
    help: 'Attempts of this process that have ended, by lane, what became of the delivery, and the answer.',
    labelNames: ['lane', 'result', 'answer'],
    registers,
  });
  const underWay = new Gauge({
    name: 'promptreports_webhook_attempts_under_way',
    help: 'Attempts of this process that have not ended yet, by lane.',
    labelNames: ['lane'],
    registers,
  });
  const waits = new Histogram({
    name: 'promptreports_webhook_wait_seconds',
    help: 'From when a delivery was due until this process began to send it, by lane.',
    labelNames: ['lane'],
    buckets: WAIT_BUCKETS,
    registers,
  });
  const disabled = new Counter({
    name: 'promptreports_webhooks_disabled_total',
    help: 'Webhooks that this process disabled for how their receivers behave, by reason.',
    labelNames: ['reason'],
    registers,
  });
  // A series that is not there yet can't be watched.
  for (const lane of LANES) underWay.set({ lane }, 0);
  for (const lane of LANES) waits.zero({ lane });
  for (const reason of DISABLED_FOR) disabled.inc({ reason }, 0);

  return {
    queued: (count: number): void => queued.inc(count),
    begun: (lane: string, waitedSeconds: number): void => {
      underWay.inc({ lane });
      waits.observe({ lane }, Math.max(0, waitedSeconds));
    },
    /** `status`: undefined where there was no answer. */
    ended: (lane: string, result: string, status: number | undefined): void => {
      underWay.dec({ lane });
      attempts.inc({ lane, result, answer: classOf(status) });
    },
    disabled: (reason: string): void => disabled.inc({ reason }),
  };
}

/** A receiver may answer with any three digits: they make no series of their own. */
function classOf(status: number | undefined): string {
  if (status === undefined) return 'none';
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other';
}
