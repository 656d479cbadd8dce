import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAlertStore } from '../../adapters/database/alerts.ts';
import { makeAppSecret } from '../../src/apps/register-app.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { By } from '../../src/principals/principal.ts';
import { type Console, startConsole } from './support.ts';

let console_: Console;
let by: By;
/** What has a page of its own, with a list on it. */
let shown: { key: string; app: string; webhook: string; delivery: string };
let batch = 0;

beforeAll(async () => {
  console_ = await startConsole();
  const { made } = console_;
  const { id } = made.user;
  by = {
    principal: {
      method: 'oauth_user',
      id,
      userId: id,
      organizationId: made.organization.id,
      environment: 'live',
      scopes: [],
    },
    ip: '203.0.113.7',
  };
  shown = await addOne();
}, 60_000);
afterAll(() => console_?.close());

/** A key, an app with a secret, a webhook with a delivery: one of each. */
async function addOne() {
  const { services, made } = console_;
  const organizationId = made.organization.id;
  const actor = { actor: { type: 'user' as const, id: made.user.id } };
  const { apiKey } = await services.createApiKey(
    { organizationId, name: 'Key', environment: 'live', scopes: [], createdBy: made.user.id },
    actor,
  );
  const { app } = await services.registerApp(
    {
      organizationId,
      name: 'App',
      kind: 'service',
      environment: 'live',
      redirectUris: [],
      scopes: [],
      requirePkce: true,
      postLogoutRedirectUris: [],
      jwks: undefined,
      jwksUri: undefined,
      homepageUrl: undefined,
      logoUrl: undefined,
      privacyUrl: undefined,
      createdBy: made.user.id,
    },
    actor,
  );
  const { webhook } = await services.manageWebhooks.create(by, {
    url: 'http://127.0.0.1:9/hook',
    events: ['report.completed'],
    description: null,
  });
  const delivery = await services.manageWebhooks.test(by, webhook.id);
  return { key: apiKey.id, app: app.id, webhook: webhook.id, delivery: delivery.id };
}

/** Adds `count` of whatever lists show. */
async function add(count: number): Promise<void> {
  const { services, made } = console_;
  const organizationId = made.organization.id;
  const knex = services.database.sql();
  const alerts = createAlertStore(services.database);
  for (let i = 0; i < count; i++) {
    const { key, app } = await addOne();
    const { apiKey: ended } = await services.createApiKey(
      { organizationId, name: 'Ended', environment: 'live', scopes: [], createdBy: made.user.id },
      { actor: { type: 'user', id: made.user.id } },
    );
    await services.apiKeys.revoke(ended.id);
    await services.apps.addSecret(shown.app, makeAppSecret(undefined, new Date()).secret, new Date());
    await services.manageWebhooks.test(by, shown.webhook);
    await knex('webhook_deliveries')
      .where({ id: shown.delivery })
      .update({
        attempts: knex.raw(`attempts || ?::jsonb`, [
          JSON.stringify({ at: new Date(), url: 'http://127.0.0.1:9/hook', error: 'refused', durationMs: 1 }),
        ]),
      });
    const userId = newId('usr');
    await knex('users').insert({
      id: userId,
      email: `${userId}@example.com`,
      name: 'New',
      password_hash: '-',
    });
    await services.organizations.addMember({ organizationId, userId, role: 'viewer' });
    await services.createOrganization({ name: 'Another', ownerId: made.user.id });
    await services.audit({
      type: 'app.updated',
      organizationId,
      actor: { type: 'user', id: userId },
      targetId: app,
    });
    const at = new Date();
    const owner = { organizationId, environment: 'live' as const };
    await services.usage.add({
      writerId: 'test',
      number: ++batch,
      hours: [key, `${userId}:${app}`].map((credential) => ({
        ...owner,
        method: 'api_key',
        hour: new Date(Math.floor(at.getTime() / 3_600_000) * 3_600_000),
        credential,
        route: `GET /v1/${i}`,
        scope: `some:${batch}`,
        status: 200 + batch,
        requests: 1,
        allowed: 1,
        refused: 0,
      })),
      minutes: [],
      networks: [
        { ...owner, credential: shown.key, network: `192.0.2.${batch}`, firstSeenAt: at, lastSeenAt: at },
      ],
    });
    await alerts.insert({
      ...owner,
      id: newId('alr'),
      kind: 'outside_allowlist',
      subject: key,
      period: String(batch),
      data: { ip: '203.0.113.9' },
      createdAt: at,
    });
  }
}

test('the number of statements of a page does not grow with its rows', async () => {
  /** Each with what stands once for each of its rows, where it is a list. */
  const pages: Record<string, RegExp | undefined> = {
    '': /<li class="alert">/g,
    '/keys': /<tr>/g,
    '/keys?ended=1': /<tr>/g,
    '/keys/new': undefined,
    [`/keys/${shown.key}`]: /192\.0\.2\./g,
    '/apps': /<tr>/g,
    [`/apps/${shown.app}`]: /secret_…/g,
    '/webhooks': /<tr>/g,
    [`/webhooks/${shown.webhook}`]: /<tr>/g,
    [`/webhooks/${shown.webhook}/deliveries/${shown.delivery}`]: /<tr>/g,
    '/members': /<tr>/g,
    '/usage?by=credential': /<progress/g,
    '/usage?by=scope': /<progress/g,
    '/usage?by=status': /<progress/g,
    '/audit-log': /<tr>/g,
    '/audit-log?type=api_key.created': /<tr>/g,
    '/settings': /href="[^"]+" class="menu-item"|class="menu-item" href="\/console\/org_/g, // of the switcher
  };
  const look = async () => {
    const statements: Record<string, number> = {};
    const rows: Record<string, number> = {};
    for (const [page, row] of Object.entries(pages)) {
      statements[page] = await console_.statementsOf(async () => {
        const { html, status } = await console_.owner.open(console_.path(page));
        expect([page, status]).toEqual([page, 200]);
        if (row) rows[page] = html.match(row)?.length ?? 0;
      });
    }
    return { statements, rows };
  };
  await add(1);
  const few = await look();
  expect(few.statements['/keys']).toBeGreaterThan(2);
  await add(12);
  const many = await look();
  expect(many.statements).toEqual(few.statements);
  for (const [page, rows] of Object.entries(many.rows)) {
    // The overview shows the five latest alerts.
    expect([page, rows]).toEqual([page, page === '' ? 5 : expect.any(Number)]);
    if (page !== '') expect([page, rows > (few.rows[page] ?? 0) + 10]).toEqual([page, true]);
  }
}, 180_000);
