import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshDataDir } from '../support/databases.ts';
import { mailsTo } from '../support/mailbox.ts';
import { startServer } from '../support/server-process.ts';
import { type Site, startSite } from '../support/site.ts';
import { addWebhookOwner } from '../support/webhook-owner.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let site: Site;
let receiver: Receiver;
const dataDir = freshDataDir().dataDir;

beforeAll(async () => {
  receiver = await startReceiver();
  site = await startSite({ DATA_DIR: dataDir }, async (services) => {
    const { organizationId } = await addWebhookOwner(services, 1, [receiver.url]);
    const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    await services.database.sql()('usage_hours').insert({
      organization_id: organizationId,
      environment: 'live',
      hour,
      method: 'api_key',
      credential: 'key_1',
      route: 'GET /v1/prompts',
      status: 200,
      scope: 'prompts:read',
      requests: 850,
      allowed: 850,
      refused: 0,
    });
  });
}, 60_000);
afterAll(async () => {
  await site.stop();
  await receiver.close();
});

test('a server looks by itself: an alert goes out by webhook and mail, once, also over a restart', async () => {
  const mails = () => mailsTo(dataDir, 'owner1@example.com');
  const told = async () => {
    await receiver.until((received) => received.length > 0);
    while (mails().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await told();
  expect(receiver.received[0]?.event).toMatchObject({
    type: 'limit.warning',
    data: { percent: 80, used: 850 },
  });
  expect(mails()).toMatchObject([{ subject: '80 % of the day’s quota is used' }]);

  await site.server.stop();
  site.server = await startServer({ DATA_DIR: dataDir, PORT: String(site.server.port) });
  await new Promise((resolve) => setTimeout(resolve, 3_000)); // it has looked, and mailed what was due
  expect([receiver.received.length, mails().length]).toEqual([1, 1]);
}, 60_000);
