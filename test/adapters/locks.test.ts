import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '../../adapters/database/database.ts';
import { createGrantAdapter } from '../../adapters/database/grants.ts';
import { createOutbox } from '../../adapters/database/webhook-outbox.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createSealer } from '../../src/kernel/sealing.ts';
import { openStores } from '../../src/services/stores.ts';
import { envelop } from '../../src/webhooks/envelope.ts';
import { openFreshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';

const sealer = createSealer(Buffer.alloc(32, 5));

describeWith('postgresql', 'Locks under a load that never rests', () => {
  let database: Database;
  let stores: ReturnType<typeof openStores>;
  let organizationId: string;
  let isOver = false;
  let load: Promise<unknown> = Promise.resolve();

  beforeAll(async () => {
    database = await openFreshPostgres();
    stores = openStores({ database, sealer });
    organizationId = newId('org');
    await database.sql()('organizations').insert({ id: organizationId, name: 'Test' });
  }, 60_000);
  afterEach(async () => {
    isOver = true;
    await load;
  });
  afterAll(() => database.close());

  /** Six transactions that overlap without end, each a while at it. */
  async function keepDoing(work: () => Promise<unknown>): Promise<void> {
    isOver = false;
    const one = async (): Promise<void> => {
      while (!isOver) {
        await database.transaction(async () => {
          await work();
          await wait(20 + Math.random() * 20);
        });
      }
    };
    load = Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        await wait(i * 7);
        await one();
      }),
    );
    await wait(300);
  }

  const timeFor = async (work: () => Promise<unknown>): Promise<number> => {
    const startedMs = performance.now();
    await database.transaction(work);
    return performance.now() - startedMs;
  };

  test('a webhook is deleted while events are published for it', async () => {
    const webhook = { id: newId('wh'), organizationId, environment: 'live' as const };
    await database
      .sql()('webhooks')
      .insert({
        id: webhook.id,
        organization_id: organizationId,
        environment: 'live',
        url: 'https://example.com/',
        events: ['*'],
        sealed_secret: Buffer.from('x'),
        secret_hash: Buffer.alloc(32),
      });
    const publish = createOutbox(database);
    await keepDoing(() => publish(webhook, envelop('prompt.created', {}, new Date())));
    const ms = await timeFor(async () => {
      await stores.webhooks.findForDeletion(webhook, webhook.id);
      await stores.webhooks.delete(webhook.id);
    });
    expect(ms).toBeLessThan(1_000);
  }, 30_000);

  const newApp = async (kind: 'web' | 'service' = 'web'): Promise<string> => {
    const id = newId('app');
    await database
      .sql()('apps')
      .insert({
        id,
        organization_id: organizationId,
        name: 'A',
        kind,
        environment: 'live',
        redirect_uris: kind === 'web' ? ['https://app.example/'] : [],
      });
    return id;
  };
  const newUser = async (): Promise<string> => {
    const id = newId('usr');
    await database
      .sql()('users')
      .insert({ id, email: `${id}@example.com`, name: 'U', password_hash: 'x' });
    return id;
  };
  /** As a consent does it, in an open transaction: whether there was an app to allow. */
  const allow = async (appId: string): Promise<boolean> => {
    const userId = await newUser();
    if (!(await stores.grants.lockForConsent({ userId, appId }))) return false;
    const payload = { accountId: userId, clientId: appId, organizationId } as AdapterPayload;
    await createGrantAdapter(database).upsert(userId, payload, 60);
    return true;
  };
  const deletion = async (appId: string): Promise<void> => {
    await stores.apps.findForDeletion({ organizationId, environments: ['live'] }, appId);
    await stores.endGrants({ appId });
    await stores.apps.delete(appId);
  };

  test('an app is deleted while people allow it, and who allows it afterwards is told', async () => {
    const appId = await newApp();
    const outcomes: boolean[] = [];
    await keepDoing(async () => outcomes.push(await allow(appId)));
    expect(await timeFor(() => deletion(appId))).toBeLessThan(1_000);
    isOver = true;
    await load;
    expect(outcomes[0]).toBe(true);
    expect(outcomes.at(-1)).toBe(false);
    expect(await database.sql()('grants').where({ app_id: appId })).toEqual([]);
  }, 30_000);

  test('a grant that is ended while its person allows more does not come back, with the tokens under it', async () => {
    const appId = await newApp();
    const userId = await newUser();
    const key = { userId, appId, organizationId };
    await stores.organizations.addMember({ organizationId, userId, role: 'member' });
    const payload = { accountId: userId, clientId: appId, organizationId } as AdapterPayload;
    await createGrantAdapter(database).upsert('a-grant', payload, 60);
    expect(await stores.grants.findFor(key)).toBe('a-grant');
    let found: Promise<string | undefined> = Promise.resolve('unasked');
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    }).then(() => {
      found = database.transaction(() => stores.grants.findFor(key));
    });
    await database.transaction(async () => {
      await stores.records.deleteByGrant('a-grant');
      await stores.grants.delete('a-grant');
      begin();
      await begun;
      await wait(200);
    });
    expect(await found).toBeUndefined();
  }, 30_000);

  /** Two that write the same rows in opposite orders, again and again. */
  async function bothWays<T>(
    items: readonly T[],
    write: (items: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    const there = [...items];
    const back = there.toReversed();
    for (let i = 0; i < 40; i++) await Promise.all([write(there), write(back), write(there), write(back)]);
  }
  const ids = (prefix: 'key' | 'app' | 'sec') => Array.from({ length: 200 }, () => newId(prefix));

  test('last uses of API keys are written by several processes at once, and never in a circle', async () => {
    const keys = ids('key');
    await database
      .sql()('api_keys')
      .insert(
        keys.map((id, i) => ({
          id,
          organization_id: organizationId,
          name: 'K',
          environment: 'live',
          scopes: [],
          key_hash: Buffer.alloc(32, `k${i}`),
          last4: 'abcd',
        })),
      );
    await expect(
      bothWays(keys, (order) =>
        stores.apiKeys.recordUses(order.map((id) => ({ id, at: new Date(), ip: '192.0.2.1' }))),
      ),
    ).resolves.toBeUndefined();
  }, 30_000);

  test('last uses of client secrets too', async () => {
    const appId = await newApp('service');
    const secrets = ids('sec');
    await database
      .sql()('app_secrets')
      .insert(
        secrets.map((id, i) => ({
          id,
          app_id: appId,
          secret_hash: Buffer.alloc(32, `s${i}`),
          last4: 'abcd',
        })),
      );
    await expect(
      bothWays(secrets, (order) => stores.apps.recordSecretUses(order.map((id) => ({ id, at: new Date() })))),
    ).resolves.toBeUndefined();
  }, 30_000);

  test('when browsers were last seen too', async () => {
    const userId = newId('usr');
    await database
      .sql()('users')
      .insert({ id: userId, email: 'seen@example.com', name: 'U', password_hash: 'x' });
    const uids = Array.from({ length: 200 }, (_, i) => `uid-${i}`);
    for (const uid of uids) await stores.sessionStore.recordSignIn({ uid, userId, userAgent: '', ip: '' });
    await expect(
      bothWays(uids, (order) =>
        stores.sessionStore.recordSeen(order.map((id) => ({ id, ip: '192.0.2.1', at: new Date() }))),
      ),
    ).resolves.toBeUndefined();
  }, 30_000);
});
