import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/kernel/ids.ts';
import { type Console, startConsole } from '../console/support.ts';
import { addApp } from '../support/prepare.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { signIn } from './support.ts';

let site: Console;

beforeAll(async () => {
  site = await startConsole();
}, 60_000);
afterAll(() => site?.close());

/** Adds `count` of whatever the lists show: sessions, grants, organizations, passkeys. */
async function add(count: number): Promise<void> {
  const { services, made } = site;
  const { secondFactorStore, createOrganization, database } = services;
  const userId = made.user.id;
  await database.sql()('passkeys').where({ user_id: userId }).delete(); // or nobody signs in without one
  for (let i = 0; i < count; i++) await signIn({ url: site.url }, made.user, createUserAgent(site.url));
  for (let i = 0; i < count; i++) {
    const organization = await createOrganization({ name: 'Another', ownerId: userId });
    const { clientId } = await addApp(services, made, { name: 'Some app' });
    await database
      .sql()('grants')
      .insert({
        id: randomBytes(16).toString('hex'),
        user_id: userId,
        app_id: clientId,
        organization_id: organization.id,
        payload: JSON.stringify({ resources: { 'urn:x': 'prompts:read' } }),
        expires_at: new Date(Date.now() + 60_000),
      });
    await secondFactorStore.insertPasskey({
      id: newId('psk'),
      userId,
      name: 'Key',
      credentialId: randomBytes(16),
      publicKey: randomBytes(16),
      signCount: 0,
      transports: [],
    });
  }
}

test('the number of statements of a page does not grow with its rows', async () => {
  const pages = [
    '/account',
    '/',
    '/account/security',
    '/account/sessions',
    '/account/apps',
    '/account/organizations',
  ];
  const lengths: Record<string, number> = {};
  const count = async () => {
    const counts: Record<string, number> = {};
    for (const page of pages) {
      counts[page] = await site.statementsOf(async () => {
        const { status, html } = await site.owner.open(page);
        expect(status).toBe(200);
        lengths[page] = html.length;
      });
    }
    return counts;
  };
  await add(1);
  const few = await count();
  const before = { ...lengths };
  await add(15);
  expect(await count()).toEqual(few);
  for (const page of pages.slice(1))
    expect([page, (lengths[page] ?? 0) > (before[page] ?? 0) + 13 * 100]).toEqual([page, true]);
}, 60_000);
