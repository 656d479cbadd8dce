import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createDeliveryStore, createDeliveryUpkeep } from '../../adapters/database/webhook-deliveries.ts';
import { createOutbox } from '../../adapters/database/webhook-outbox.ts';
import { createDeliveryQueue } from '../../adapters/database/webhook-queue.ts';
import { createWebhookStore } from '../../adapters/database/webhooks.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createSealer } from '../../src/kernel/sealing.ts';
import { sha256 } from '../../src/kernel/secret.ts';
import type { Attempt, ClaimRequest, Outcome } from '../../src/webhooks/delivery.ts';
import { envelop } from '../../src/webhooks/envelope.ts';
import { issueWebhookSecret } from '../../src/webhooks/signing.ts';
import type { Webhook } from '../../src/webhooks/webhook.ts';
import { describeEachDatabase } from '../support/each-database.ts';

const sealer = createSealer(Buffer.alloc(32, 5));

const attempt: Attempt = {
  at: '2026-01-15T10:30:00.000Z',
  url: 'https://example.com/hook',
  headers: {},
  durationMs: 12,
  status: 500,
  body: 'no',
  error: null,
};
const success: Outcome = {
  succeeded: true,
  retryInSeconds: undefined,
  pauseSeconds: undefined,
  slow: false,
  disable: undefined,
};
const again = (retryInSeconds: number, pauseSeconds?: number): Outcome => ({
  succeeded: false,
  retryInSeconds,
  pauseSeconds,
  slow: true,
  disable: undefined,
});

describeEachDatabase('Webhooks', (open) => {
  let database: Database;
  let webhooks: ReturnType<typeof createWebhookStore>;
  let deliveries: ReturnType<typeof createDeliveryStore>;
  let queue: ReturnType<typeof createDeliveryQueue>;
  let outbox: ReturnType<typeof createOutbox>;

  beforeAll(async () => {
    database = await open();
    webhooks = createWebhookStore(database, sealer);
    deliveries = createDeliveryStore(database);
    queue = createDeliveryQueue(database, sealer);
    outbox = createOutbox(database);
  }, 60_000);
  afterAll(() => database.close());

  const newOrganization = async () => {
    const id = newId('org');
    await database.sql()('organizations').insert({ id, name: 'Test' });
    return id;
  };
  const newWebhook = async (fields: Partial<Webhook> = {}) => {
    const now = new Date();
    const webhook: Webhook = {
      id: newId('wh', now),
      organizationId: fields.organizationId ?? (await newOrganization()),
      environment: 'live',
      url: 'https://example.com/hook',
      events: ['*'],
      description: null,
      disabledReason: undefined,
      previousSecretUntil: undefined,
      createdAt: now,
      updatedAt: now,
      ...fields,
    };
    const secret = issueWebhookSecret();
    await webhooks.insert(webhook, secret);
    return { webhook, secret };
  };
  const tell = (webhook: Webhook, type = 'prompt.created') =>
    outbox(webhook, envelop(type, { id: 'prm_1' }, new Date()));
  const waitingFor = async ({ id }: Webhook) => await deliveries.list(id, { limit: 1000, after: undefined });

  const claim = (more: Partial<ClaimRequest> = {}) =>
    queue.claim({
      worker: 'w1',
      lane: 'prompt',
      most: 100,
      perWebhook: 100,
      perOrganization: 100,
      busy: [],
      leaseSeconds: 60,
      ...more,
    });
  /** Everything that other tests left waiting is out of the way. */
  const emptyQueue = () => database.sql()('webhook_events').delete();

  describe('The outbox', () => {
    test('writes one event, and a delivery for each webhook that wants it', async () => {
      const { webhook: all } = await newWebhook();
      const { organizationId } = all;
      const { webhook: family } = await newWebhook({ organizationId, events: ['prompt.*'] });
      const { webhook: exact } = await newWebhook({
        organizationId,
        events: ['report.created', 'prompt.created'],
      });
      const { webhook: other } = await newWebhook({ organizationId, events: ['report.*'] });
      const { webhook: sandbox } = await newWebhook({ organizationId, environment: 'test' });
      const { webhook: off } = await newWebhook({ organizationId, disabledReason: 'owner' });
      const { webhook: stranger } = await newWebhook();
      await tell(all);

      const [delivery] = await waitingFor(all);
      expect(delivery).toMatchObject({
        webhookId: all.id,
        eventType: 'prompt.created',
        status: 'pending',
        attemptCount: 0,
        attempts: [],
      });
      expect(delivery?.id).toMatch(/^dlv_[0-9a-z]{26}$/);
      expect(JSON.parse(delivery?.body ?? '')).toMatchObject({
        id: delivery?.eventId,
        type: 'prompt.created',
        apiVersion: '2024-01-15',
        data: { id: 'prm_1' },
      });
      for (const webhook of [family, exact]) {
        expect(await waitingFor(webhook)).toMatchObject([{ eventId: delivery?.eventId }]);
      }
      for (const webhook of [other, sandbox, off, stranger]) expect(await waitingFor(webhook)).toEqual([]);
    });

    test('writes nothing where no webhook wants the event', async () => {
      const { webhook } = await newWebhook({ events: ['report.*'] });
      await tell(webhook);
      const events = await database
        .sql()('webhook_events')
        .where({ organization_id: webhook.organizationId });
      expect(events).toEqual([]);
    });

    test('a webhook that is deleted meanwhile doesn’t fail the change that it would have been told of', async () => {
      for (let round = 0; round < 10; round++) {
        const { webhook } = await newWebhook();
        await Promise.all([
          ...Array.from({ length: 5 }, () => tell(webhook)),
          webhooks.delete(webhook.id),
          ...Array.from({ length: 5 }, () => tell(webhook)),
        ]);
        expect(await waitingFor(webhook)).toEqual([]);
      }
    });

    test('is of the transaction: what is rolled back is not told', async () => {
      const { webhook } = await newWebhook();
      const failed = database.transaction(async () => {
        await tell(webhook);
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect(await waitingFor(webhook)).toEqual([]);
    });
  });

  describe('The queue', () => {
    test('gives a delivery to one worker, with what it needs to send it', async () => {
      await emptyQueue();
      const { webhook, secret } = await newWebhook();
      await tell(webhook);
      const [claimed, ...more] = await claim();
      expect(more).toEqual([]);
      expect(claimed).toMatchObject({
        webhook: { id: webhook.id, organizationId: webhook.organizationId, url: webhook.url },
        lane: 'prompt',
        attemptCount: 0,
        failingForSeconds: 0,
      });
      expect(claimed?.openSecrets().map((one) => one.reveal())).toEqual([secret.reveal()]);
      expect(await claim({ worker: 'w2' })).toEqual([]);
      expect(await queue.complete('w2', claimed?.id ?? '', attempt, success)).toBe(false);
      expect(await queue.complete('w1', claimed?.id ?? '', attempt, success)).toBe(true);
      expect(await queue.complete('w1', claimed?.id ?? '', attempt, success)).toBe(false);
      expect(await waitingFor(webhook)).toMatchObject([
        { status: 'succeeded', attemptCount: 1, attempts: [attempt], nextAttemptAt: undefined },
      ]);
    });

    test('of workers that ask at once each gets deliveries of its own', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      for (let i = 0; i < 40; i++) await tell(webhook);
      const claims: string[] = [];
      for (let round = 0; round < 5; round++) {
        const workers = Array.from({ length: 10 }, (_, index) => `w${index}`);
        const claimed = await Promise.all(workers.map((worker) => claim({ worker, most: 2 })));
        claims.push(...claimed.flat().map(({ id }) => id));
      }
      expect(new Set(claims).size).toBe(claims.length);
      expect(claims.length).toBeGreaterThanOrEqual(10);
    });

    test('gives it to another when the lease has ended; the first can’t complete it any more', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      const [dead] = await claim({ leaseSeconds: 0 });
      const [alive] = await claim({ worker: 'w2' });
      expect(alive?.id).toBe(dead?.id);
      expect(await queue.complete('w1', dead?.id ?? '', attempt, success)).toBe(false);
      expect(await queue.complete('w2', dead?.id ?? '', attempt, success)).toBe(true);
    });

    test('keeps it while the lease is renewed, and gives it at once when it is released', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      const [mine] = await claim({ leaseSeconds: 0 });
      await queue.renew('w1', [mine?.id ?? ''], 60);
      expect(await claim({ worker: 'w2' })).toEqual([]);
      await queue.release('w2', [mine?.id ?? '']);
      expect(await claim({ worker: 'w2' })).toEqual([]);
      await queue.release('w1', [mine?.id ?? '']);
      expect(await claim({ worker: 'w2' })).toHaveLength(1);
    });

    test('waits as long as the outcome says, and gives up when it says so', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      const [first] = await claim();
      const id = first?.id ?? '';
      await queue.complete('w1', id, attempt, again(3600));
      expect([...(await claim()), ...(await claim({ lane: 'slow' }))]).toEqual([]);
      const [waiting] = await waitingFor(webhook);
      expect(waiting).toMatchObject({ status: 'pending', attemptCount: 1 });
      const inSeconds = ((waiting?.nextAttemptAt?.getTime() ?? 0) - Date.now()) / 1000;
      expect(inSeconds).toBeGreaterThan(3500);
      expect(inSeconds).toBeLessThan(3700);

      await database
        .sql()('webhook_deliveries')
        .where({ id })
        .update({ next_attempt_at: new Date(0) });
      const [second] = await claim({ lane: 'slow' });
      expect(second).toMatchObject({ id, attemptCount: 1, lane: 'slow' });
      await queue.complete('w1', id, { ...attempt, status: 503 }, { ...again(1), retryInSeconds: undefined });
      expect(await waitingFor(webhook)).toMatchObject([
        { status: 'failed', attemptCount: 2, attempts: [{ status: 500 }, { status: 503 }] },
      ]);
    });

    test('remembers since when nothing succeeded, until something does', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      for (let i = 0; i < 3; i++) await tell(webhook);
      const claimed = await claim();
      const since = async () => {
        const row = await database
          .sql()('webhooks')
          .where({ id: webhook.id })
          .first<{ failing_since: Date | null; slow: boolean }>('failing_since', 'slow');
        return row;
      };
      await queue.complete('w1', claimed[0]?.id ?? '', attempt, again(5));
      const first = await since();
      expect(first).toEqual({ failing_since: expect.any(Date), slow: true });
      await queue.complete('w1', claimed[1]?.id ?? '', attempt, again(5));
      expect(await since()).toEqual(first);
      await queue.complete('w1', claimed[2]?.id ?? '', attempt, success);
      expect(await since()).toEqual({ failing_since: null, slow: false });
    });

    test('a webhook is deleted while outcomes are written, and neither waits for the other for ever', async () => {
      await emptyQueue();
      for (let round = 0; round < 10; round++) {
        const { webhook } = await newWebhook();
        for (let i = 0; i < 8; i++) await tell(webhook);
        const claimed = await claim();
        await Promise.all([
          ...claimed.map(({ id }) => queue.complete('w1', id, attempt, again(5))),
          webhooks.delete(webhook.id),
        ]);
        expect(await waitingFor(webhook)).toEqual([]);
      }
    });

    test('takes turns between organizations, however much one has waiting', async () => {
      await emptyQueue();
      const { webhook: loud } = await newWebhook();
      const { webhook: alsoLoud } = await newWebhook({ organizationId: loud.organizationId });
      for (let i = 0; i < 20; i++) await tell(loud); // to both
      const { webhook: quiet } = await newWebhook();
      await tell(quiet);
      const claimed = await claim({ most: 4 });
      expect(claimed).toHaveLength(4);
      expect(claimed.filter(({ webhook }) => webhook.id === quiet.id)).toHaveLength(1);
      expect(claimed.filter(({ webhook }) => webhook.id === alsoLoud.id).length).toBeLessThan(4);
    });

    test('holds a webhook and an organization to their share, with what is under way', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      const { webhook: second } = await newWebhook({ organizationId: webhook.organizationId });
      for (let i = 0; i < 10; i++) await tell(webhook); // to both
      const busy = (count: number) => Array.from({ length: count }, () => webhook);
      const claimed = await claim({ perWebhook: 3, busy: busy(1) });
      expect(claimed.filter((one) => one.webhook.id === webhook.id)).toHaveLength(2);
      expect(claimed.filter((one) => one.webhook.id === second.id)).toHaveLength(3);
      expect(await claim({ perOrganization: 4, busy: busy(3) })).toHaveLength(1);
      expect(await claim({ perOrganization: 4, busy: busy(4) })).toEqual([]);
      expect(await claim({ perWebhook: 1, busy: [webhook, second] })).toEqual([]);
    });

    test('gives nothing of a webhook that is disabled, and gives it up after a day', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      expect(await webhooks.disable(webhook.id, 'gone')).toBe(true);
      expect(await webhooks.disable(webhook.id, 'gone')).toBe(false);
      expect(await claim()).toEqual([]);
      const { expire } = createDeliveryUpkeep(database);
      await expire(86_400, 100);
      expect(await waitingFor(webhook)).toMatchObject([{ status: 'pending' }]);
      await expire(0, 100);
      expect(await waitingFor(webhook)).toMatchObject([{ status: 'failed', completedAt: expect.any(Date) }]);
    });

    test('a receiver that asks for a pause gets one, from every process and for every event; others don’t wait', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      const { webhook: other } = await newWebhook({ organizationId: webhook.organizationId });
      for (let i = 0; i < 4; i++) await tell(webhook); // to both
      const claimed = (await claim()).filter((one) => one.webhook.id === webhook.id);
      await queue.release(
        'w1',
        claimed.slice(2).map(({ id }) => id),
      );
      await queue.complete('w1', claimed[0]?.id ?? '', attempt, again(5, 60));
      // What was under way already doesn't end the pause.
      await queue.complete('w1', claimed[1]?.id ?? '', attempt, success);
      const soon = Date.now() + 55_000;
      for (const { status, nextAttemptAt } of await waitingFor(webhook)) {
        if (status === 'pending') expect(nextAttemptAt?.getTime()).toBeGreaterThan(soon);
        else expect(nextAttemptAt).toBeUndefined();
      }
      await database
        .sql()('webhook_deliveries')
        .where({ status: 'pending' })
        .update({ next_attempt_at: new Date(0) });
      const lanes = async () => [
        ...(await claim({ worker: 'w2' })),
        ...(await claim({ worker: 'w2', lane: 'slow' })),
      ];
      const during = await lanes();
      expect(during.map((one) => one.webhook.id)).toEqual(Array.from({ length: 4 }, () => other.id));
      await database
        .sql()('webhooks')
        .where({ id: webhook.id })
        .update({ paused_until: new Date(Date.now() - 2_000) });
      const after = await lanes();
      expect(after.map((one) => one.webhook.id)).toEqual(Array.from({ length: 3 }, () => webhook.id));
      // It is the pause that it waited for, not us.
      for (const { waitedSeconds } of after) expect(waitedSeconds).toBeLessThan(30);
    });

    test('a delivery takes up no more for every attempt that fails, and still shows them', async () => {
      await emptyQueue();
      const url = `https://example.com/${'x'.repeat(1_980)}`;
      const { webhook } = await newWebhook({ url });
      await tell(webhook);
      const [{ id } = { id: '' }] = await claim();
      for (let number = 0; number < 15; number++) {
        const body = `${number} ${randomBytes(748).toString('base64')}`;
        const failed = {
          ...attempt,
          url: number === 0 ? `${url}0` : url,
          body,
          headers: { 'webhook-id': 'evt_1' },
        };
        expect(await queue.complete('w1', id, failed, again(0))).toBe(true);
        await claim({ lane: 'slow' });
      }
      const row = await database
        .sql()('webhook_deliveries')
        .where({ id })
        .first<{ bytes: number }>(database.sql().raw('octet_length(attempts::text) AS bytes'));
      expect(row?.bytes).toBeLessThan(10_000);
      const [delivery] = await waitingFor(webhook);
      expect(delivery?.attempts.map((one) => one.url)).toEqual([
        `${url}0`,
        ...Array.from({ length: 14 }, () => url),
      ]);
      expect(delivery?.attempts.map(({ body }) => body?.split(' ')[0])).toEqual(
        Array.from({ length: 15 }, (_, number) => String(number)),
      );
      expect(delivery?.attempts.at(-2)?.body).toHaveLength(100);
      expect(delivery?.attempts.at(-1)).toMatchObject({
        body: expect.stringMatching(/^14 .{1000}$/),
        headers: { 'webhook-id': 'evt_1' },
      });
    });

    test('begins anew with a webhook whose address was changed', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      const [claimed] = await claim();
      await queue.complete('w1', claimed?.id ?? '', attempt, again(0, 60));
      await webhooks.update(webhook.id, { url: 'https://example.com/new' }, new Date());
      expect(await claim()).toMatchObject([{ lane: 'prompt', webhook: { url: 'https://example.com/new' } }]);
    });

    test('is bounded: a webhook for which more wait than may is told of', async () => {
      await emptyQueue();
      const { webhook } = await newWebhook();
      await tell(webhook);
      const { overflowing } = createDeliveryUpkeep(database);
      await database.sql().raw(
        `INSERT INTO webhook_deliveries (id, webhook_id, event_id)
         SELECT 'dlv_' || lpad(n::text, 26, '0'), webhook_id, event_id
         FROM webhook_deliveries, generate_series(1, 49999) AS n WHERE webhook_id = ?`,
        [webhook.id],
      );
      expect(await overflowing()).toEqual([]);
      await tell(webhook);
      expect(await overflowing()).toMatchObject([{ id: webhook.id, url: webhook.url }]);
      await emptyQueue();
    });
  });

  describe('Secrets', () => {
    const signingWith = async ({ id }: Webhook) => {
      await emptyQueue();
      const webhook = await database.sql()('webhooks').where({ id }).first<{ organization_id: string }>();
      await tell({ id, organizationId: webhook.organization_id, environment: 'live' } as Webhook);
      return (await claim()).flatMap((claimed) => claimed.openSecrets().map((secret) => secret.reveal()));
    };

    test('the old one signs beside the new one until its grace ends, and is known by its hash until then', async () => {
      const { webhook, secret: first } = await newWebhook();
      const second = issueWebhookSecret();
      const until = await webhooks.replaceSecret(webhook.id, second, 3600);
      expect(until?.getTime()).toBeGreaterThan(Date.now());
      expect(await signingWith(webhook)).toEqual([second.reveal(), first.reveal()]);
      for (const known of [first, second]) {
        expect(await webhooks.findBySecret(sha256(known.reveal()))).toMatchObject({ id: webhook.id });
      }
      await database
        .sql()('webhooks')
        .where({ id: webhook.id })
        .update({ previous_secret_until: new Date(0) });
      expect(await signingWith(webhook)).toEqual([second.reveal()]);
      expect(await webhooks.findBySecret(sha256(first.reveal()))).toBeUndefined();
    });

    test('with a grace of 0 the old one signs no more', async () => {
      const { webhook, secret: first } = await newWebhook();
      const second = issueWebhookSecret();
      expect(await webhooks.replaceSecret(webhook.id, second, 0)).toBeUndefined();
      expect(await signingWith(webhook)).toEqual([second.reveal()]);
      expect(await webhooks.findBySecret(sha256(first.reveal()))).toBeUndefined();
    });

    test('stand nowhere in the clear', async () => {
      const { webhook, secret } = await newWebhook();
      const row = await database.sql()('webhooks').where({ id: webhook.id }).first<object>();
      const bytes = Object.values(row).map((value) =>
        Buffer.isBuffer(value) ? value.toString('latin1') : String(value),
      );
      expect(bytes.join('\n')).not.toContain(secret.reveal().slice(6));
    });
  });
});
