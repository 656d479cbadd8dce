import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/kernel/ids.ts';
import { type Console, startConsole } from './support.ts';

let console_: Console;

beforeAll(async () => {
  console_ = await startConsole();
});
afterAll(() => console_?.close());

/** Adds `count` of whatever lists show: keys, apps with secrets, members, invitations, events. */
async function add(count: number): Promise<void> {
  const { services, made } = console_;
  const organizationId = made.organization.id;
  const by = { actor: { type: 'user' as const, id: made.user.id } };
  const knex = services.database.sql();
  for (let i = 0; i < count; i++) {
    await services.createApiKey(
      { organizationId, name: 'Key', environment: 'live', scopes: [], createdBy: made.user.id },
      by,
    );
    const { id } = (
      await services.registerApp(
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
        by,
      )
    ).app;
    const userId = newId('usr');
    await knex('users').insert({
      id: userId,
      email: `${userId}@example.com`,
      name: 'New',
      password_hash: '-',
    });
    await services.organizations.addMember({ organizationId, userId, role: 'viewer' });
    await services.audit({
      type: 'app.updated',
      organizationId,
      actor: { type: 'user', id: userId },
      targetId: id,
    });
  }
}

test('the number of statements of a page does not grow with its rows', async () => {
  const pages = ['', '/keys', '/apps', '/webhooks', '/usage', '/members', '/audit-log', '/settings'];
  const count = async () => {
    const counts: Record<string, number> = {};
    for (const page of pages) {
      let html = '';
      counts[page] = await console_.statementsOf(async () => {
        html = (await console_.owner.open(console_.path(page))).html;
      });
      rows[page] = html.match(/<tr>/g)?.length ?? 0;
    }
    return counts;
  };
  const rows: Record<string, number> = {};
  await add(1);
  const few = await count();
  const fewRows = { ...rows };
  expect(few['/keys']).toBeGreaterThan(2);
  await add(30);
  expect(await count()).toEqual(few);
  for (const page of ['/keys', '/apps', '/members', '/audit-log'])
    expect(rows[page]).toBeGreaterThan((fewRows[page] ?? 0) + 10);
}, 120_000);
