import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { UserAgent } from '../support/user-agent.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('API keys in the console', () => {
  let console_: Console;
  let owner: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    owner = console_.owner;
  });
  afterAll(() => console_?.close());

  const create = async (fields: Record<string, string | string[]>, environment: 'live' | 'test' = 'live') => {
    const form = await owner.open(console_.path('/keys/new', environment));
    return owner.submit(form, { name: 'Made here', preset: 'read', ...fields }, '/keys/new');
  };
  const shownKey = (html: string): string => /pr_(?:live|test)_[0-9A-Za-z]{36}/.exec(html)?.[0] ?? '';
  const me = async (key: string) =>
    (await (
      await fetch(`${console_.url}/v1/me`, { headers: { authorization: `Bearer ${key}` } })
    ).json()) as Record<string, unknown>;

  test('a key that is made works with the scopes of its preset, and its page is not stored', async () => {
    const page = await create({}, 'test');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const key = shownKey(page.html);
    expect(await me(key)).toMatchObject({
      environment: 'test',
      scopes: ['prompts:read', 'reports:read', 'evaluations:read', 'webhooks:read', 'organization:read'],
    });
    const list = await owner.open(console_.path('/keys', 'test'));
    expect(list.html).not.toContain(key);
    expect(list.html).toContain(key.slice(-4));
    expect(textOf((await owner.open(console_.path('/keys', 'live'))).html)).not.toContain('Made here');
  });

  test('custom scopes are those ticked', async () => {
    const page = await create({ preset: 'custom', scope: ['prompts:write'] });
    expect(await me(shownKey(page.html))).toMatchObject({ scopes: ['prompts:write'] });
  });

  test('what is wrong stands beside its field, and nothing that was typed is lost', async () => {
    const page = await create({
      name: '',
      preset: 'custom',
      scope: ['reports:read'],
      expiresOn: '2001-01-01',
      ipAllowlist: '203.0.113.7\nnowhere',
      perMinute: 'many',
    });
    expect(page.status).toBe(422);
    expect(page.html).toMatch(/id="name-error"/);
    expect(textOf(page.html)).toContain('Must be in the future.');
    expect(textOf(page.html)).toContain('Line 2 must be an IPv4 or IPv6 address or CIDR range.');
    expect(page.html).toMatch(/id="perMinute-error"/);
    expect(page.html).toContain('203.0.113.7\nnowhere</textarea>');
    expect(page.html).toContain('value="many"');
    expect(page.html).toMatch(/value="reports:read" checked/);
  });

  test('changing sends what differs; the audit log names it', async () => {
    await create({ name: 'To change', preset: 'read', perDay: '500' });
    const [found] = await console_.services.apiKeys.list(
      { organizationId: console_.made.organization.id, environments: ['live'] },
      { limit: 1, after: undefined },
    );
    const form = await owner.open(console_.path(`/keys/${found?.id}/edit`));
    expect(form.html).toContain('value="500"');
    const saved = await owner.submit(form, { name: 'Changed', preset: 'read', perDay: '400' }, '/edit');
    expect(textOf(saved.html)).toContain('Saved');
    const [event] = await console_.services.auditLog.list(
      console_.made.organization.id,
      { type: 'api_key.updated' },
      { limit: 1, after: undefined },
    );
    expect(event).toMatchObject({
      data: { fields: ['name', 'limits'] },
      actor: { id: console_.made.user.id },
    });
  });

  test('rotating shows the new key, and on its page when the old one was last used', async () => {
    const old = shownKey((await create({ name: 'To rotate' })).html);
    await me(old);
    await console_.services.flushUses();
    const { id } = await me(old);
    await console_.services.usageMeter.flush();
    const page = await owner.open(console_.path(`/keys/${id}`));
    const rotated = await owner.submit(page, { grace: '3600' }, '/rotate');
    expect(shownKey(rotated.html)).not.toBe(old);
    const fresh = await me(shownKey(rotated.html));
    expect(textOf((await owner.open(console_.path(`/keys/${fresh['id']}`))).html)).toMatch(
      /The old key still works.*It was last used.*It made 2 requests.*From Last call 127\.0\.0\.1/,
    );
    expect(await me(old)).toMatchObject({ object: 'principal' });
    const again = await owner.submit(page, { grace: '0' }, '/rotate');
    expect(again.status).toBe(409);
    expect(textOf(again.html)).toContain('This API key was rotated already.');
  });

  test('revoking asks first, and then holds', async () => {
    const key = shownKey((await create({ name: 'To revoke' })).html);
    const { id } = await me(key);
    const question = await owner.open(console_.path(`/keys/${id}/revoke`));
    expect(await me(key)).toMatchObject({ object: 'principal' });
    const page = await owner.submit(question, {}, '/revoke');
    expect(textOf(page.html)).toContain('Revoked');
    expect((await owner.open(console_.path('/keys'))).html).not.toContain('To revoke');
    const ended = textOf((await owner.open(console_.path('/keys?ended=1'))).html);
    expect(ended).toMatch(/To revoke pr_live_….* Revoked Read only .* Demo/);
    expect(await me(key)).toMatchObject({ code: 'credential_revoked' });
  });

  test('a key of the other environment is not here', async () => {
    const { id } = await me(shownKey((await create({}, 'test')).html));
    expect((await owner.open(console_.path(`/keys/${id}`, 'live'))).status).toBe(404);
    expect((await owner.open(console_.path(`/keys/${id}`, 'test'))).status).toBe(200);
  });
});
