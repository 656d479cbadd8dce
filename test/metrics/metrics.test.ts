import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MeteredCall } from '../../src/http/route.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { createUsageMeter } from '../../src/usage/meter.ts';
import { freePort } from '../support/free-port.ts';
import { type Site, startSite } from '../support/site.ts';
import { answering, type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/metrics.md');

test('docs/metrics.md names every metric of ours, with its type, and no other', async () => {
  const { body } = await createMetrics({ isDegraded: () => false }).render();
  const exposed = [...body.matchAll(/^# TYPE (promptreports_\w+) (\w+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const documented = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `(promptreports_\w+)` \| (\w+) \|/gm)];
  expect(documented.map(([, name, type]) => `${name} ${type}`).sort()).toEqual(exposed.sort());
});

describe('GET /metrics', () => {
  let site: Site;
  let receiver: Receiver;
  let metricsUrl: string;

  beforeAll(async () => {
    const port = await freePort();
    metricsUrl = `http://127.0.0.1:${port}/metrics`;
    receiver = await startReceiver();
    site = await startSite({ METRICS_PORT: String(port) });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await receiver.close();
  });

  const call = async (method: string, where: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(new URL(where, site.server.url), {
      method,
      headers: { Authorization: `Bearer ${site.made.apiKeys.live}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Record<string, unknown>;
  };
  /** The value of a series, as it is written; 0 where there is none. */
  const read = async (series: string): Promise<number> => {
    const text = await (await fetch(metricsUrl)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1] ?? 0,
    );
  };
  const becomes = async (series: string, wanted: number): Promise<void> => {
    while ((await read(series)) !== wanted) await new Promise((resolve) => setTimeout(resolve, 50));
  };

  test('tells of deliveries: queued, under way, what became of each, how long they waited', async () => {
    const { id } = await call('POST', '/v1/webhooks', { url: receiver.url, events: ['prompt.*'] });
    expect(await read('promptreports_webhook_attempts_under_way{lane="prompt"}')).toBe(0);
    const release: (() => void)[] = [];
    receiver.behave((response) => void release.push(() => void response.writeHead(204).end()));
    await call('POST', '/v1/prompts', { name: 'p', content: 'c' });
    await receiver.until((received) => received.length === 1);
    expect(await read('promptreports_webhook_deliveries_queued_total')).toBe(1);
    expect(await read('promptreports_webhook_attempts_under_way{lane="prompt"}')).toBe(1);
    release[0]?.();
    await becomes('promptreports_webhook_attempts_total{lane="prompt",result="succeeded",answer="2xx"}', 1);
    expect(await read('promptreports_webhook_attempts_under_way{lane="prompt"}')).toBe(0);
    expect(await read('promptreports_webhook_wait_seconds_count{lane="prompt"}')).toBe(1);
    expect(await read('promptreports_webhook_wait_seconds_bucket{le="10",lane="prompt"}')).toBe(1);

    receiver.behave(answering(503));
    await call('POST', `/v1/webhooks/${id}/test`);
    await becomes('promptreports_webhook_attempts_total{lane="prompt",result="retried",answer="5xx"}', 1);
    receiver.behave(answering(410));
    await becomes('promptreports_webhook_attempts_total{lane="slow",result="given_up",answer="4xx"}', 1);
    expect(await read('promptreports_webhook_deliveries_queued_total')).toBe(2);
    expect(await read('promptreports_webhooks_disabled_total{reason="gone"}')).toBe(1);
    expect(await read('promptreports_webhooks_disabled_total{reason="backlog"}')).toBe(0);
    await becomes('promptreports_alert_mails_total{result="sent"}', 1); // to the one owner
  });

  test('names no customer: labels hold neither ids nor addresses', async () => {
    const text = await (await fetch(metricsUrl)).text();
    expect(text).not.toMatch(/\b(?:org|wh|evt|dlv|usr|key|app)_[0-9a-z]{26}/);
    expect(text).not.toContain('127.0.0.1');
    expect(text).not.toContain('@');
  });
});

test('calls that usage can’t count are counted', async () => {
  const metrics = createMetrics({ isDegraded: () => false });
  const { countLostUsage: countLost, render } = metrics;
  const logger = createLogger('silent');
  const meter = createUsageMeter({ add: async () => {}, countLost, clock: systemClock, logger, mostRows: 1 });
  const route = { method: 'GET', path: '/v1/prompts', scope: 'prompts:read' } as MeteredCall['route'];
  for (let i = 0; i < 5; i++) {
    // Each of another organization: nothing of them can be told together.
    const organizationId = newId('org');
    const principal = {
      method: 'api_key',
      id: 'key_1',
      organizationId,
      environment: 'live',
      scopes: [],
    } as const;
    meter.count({ route, principal, status: 200, ip: '192.0.2.1', limited: 'allowed' });
  }
  expect((await render()).body).toContain('\npromptreports_usage_lost_calls_total 3\n');
});
