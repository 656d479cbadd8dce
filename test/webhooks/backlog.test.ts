import { expect, test } from '@jest/globals';
import { freshDataDir, freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { withDatabase } from '../support/prepare.ts';
import { addWebhookOwner } from '../support/webhook-owner.ts';

/** The most that may wait for one webhook (adapters/database/webhook-deliveries.ts). */
const MOST_WAITING = 50_000;

describeWith('postgresql', 'A webhook that falls behind', () => {
  test('is disabled by the sweep of one of two processes, audited and told of once; it fills up no more, and begins again', async () => {
    const { databaseUrl, drop } = await freshPostgres();
    const env = {
      DATABASE_URL: databaseUrl,
      SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
    };
    try {
      await withDatabase({ ...env, DATA_DIR: freshDataDir().dataDir }, async (services) => {
        await withDatabase({ ...env, DATA_DIR: freshDataDir().dataDir }, async (another) => {
          const { manageWebhooks, database } = services;
          const owner = await addWebhookOwner(services, 1, [
            'https://slow.example.com/',
            'https://fast.example.com/',
          ]);
          const { principal, organizationId } = owner;
          const [slow = '', fast = ''] = owner.webhookIds;
          const reasonOf = async (id: string) => (await manageWebhooks.find(principal, id)).disabledReason;
          await owner.tell(1);
          const waiting = async (id: string) =>
            Number(
              (await database.sql()('webhook_deliveries').where({ webhook_id: id }).count())[0]?.['count'],
            );
          const fillUpTo = (count: number) =>
            database.sql().raw(
              `INSERT INTO webhook_deliveries (id, webhook_id, event_id)
               SELECT 'dlv_' || lpad(n::text, 26, '0'), webhook_id, event_id FROM webhook_deliveries,
                 generate_series((SELECT count(*) FROM webhook_deliveries WHERE webhook_id = :slow), :count::integer - 1) AS n
               WHERE webhook_id = :slow AND id = (SELECT max(id) FROM webhook_deliveries WHERE webhook_id = :slow)`,
              { slow, count },
            );

          await fillUpTo(MOST_WAITING);
          await services.sweep();
          expect(await reasonOf(slow)).toBeUndefined();

          await owner.tell(2);
          expect(await waiting(slow)).toBe(MOST_WAITING + 1);
          await Promise.all([services.sweep(), another.sweep()]);
          expect([await reasonOf(slow), await reasonOf(fast)]).toEqual(['backlog', undefined]);
          const audited = await database.sql()('audit_events').where({ type: 'webhook.disabled' });
          expect(audited).toMatchObject([{ target_id: slow, data: { reason: 'backlog' } }]);
          const page = { limit: 10, after: undefined };
          const alerts = await services.listAlerts({ organizationId, environments: ['live'] }, page);
          expect(alerts).toMatchObject([
            { kind: 'webhook_disabled', subject: slow, data: { reason: 'backlog' } },
          ]);

          await owner.tell(3);
          expect([await waiting(slow), await waiting(fast)]).toEqual([MOST_WAITING + 1, 3]);
          const claim = () =>
            services.deliveryQueue.claim({
              worker: 'w1',
              lane: 'prompt',
              most: 10,
              perWebhook: 8,
              perOrganization: 16,
              busy: [],
              leaseSeconds: 60,
            });
          expect(new Set((await claim()).map(({ webhook }) => webhook.id))).toEqual(new Set([fast]));

          // Its owner has seen to it: what waits is sent, and as long as it is too much the sweep says no again.
          const by = { principal, ip: '127.0.0.1' };
          await manageWebhooks.change(by, slow, { status: 'active' });
          expect(new Set((await claim()).map(({ webhook }) => webhook.id))).toEqual(new Set([slow]));
          await services.sweep();
          expect(await reasonOf(slow)).toBe('backlog');
        });
      });
    } finally {
      await drop();
    }
  }, 60_000);
});
