import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { UserAgent } from '../support/user-agent.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('Apps in the console', () => {
  let console_: Console;
  let owner: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    owner = console_.owner;
  });
  afterAll(() => console_?.close());

  const register = async (fields: Record<string, string | string[]>) =>
    owner.submit(
      await owner.open(console_.path('/apps/new')),
      {
        name: 'Registered here',
        kind: 'web',
        redirectUris: 'https://a.example/callback',
        scope: ['prompts:read'],
        requirePkce: 'yes',
        ...fields,
      },
      '/apps/new',
    );
  const secretIn = (html: string): string => /secret_[0-9A-Za-z]{36}/.exec(html)?.[0] ?? '';
  const idIn = (html: string): string => /app_[0-9a-z]{26}/.exec(html)?.[0] ?? '';
  const token = (clientId: string, clientSecret: string) =>
    fetch(`${console_.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
    });

  test('a service gets a secret, shown once, that works; another beside it; the first deleted', async () => {
    const page = await register({ kind: 'service' });
    expect(page.headers.get('cache-control')).toBe('no-store');
    const [id, first] = [idIn(page.html.replace(/.*Client id/s, '')), secretIn(page.html)];
    expect((await token(id, first)).status).toBe(200);

    const added = await owner.submit(
      await owner.open(console_.path(`/apps/${id}/secrets/new`)),
      { expiresOn: '' },
      '/secrets/new',
    );
    const second = secretIn(added.html);
    expect((await token(id, second)).status).toBe(200);

    const app = await owner.open(console_.path(`/apps/${id}`));
    expect(app.html).not.toContain(first);
    const row = app.html.indexOf(`secret_…${first.slice(-4)}`);
    const deleteUrl = /href="([^"]+\/delete)"/.exec(app.html.slice(row))?.[1] ?? '';
    await owner.submit(await owner.open(deleteUrl), {}, '/delete');
    expect((await token(id, first)).status).toBe(401);
    expect((await token(id, second)).status).toBe(200);

    const lastUrl = /href="([^"]+\/secrets\/[^"]+\/delete)"/.exec(
      (await owner.open(console_.path(`/apps/${id}`))).html,
    )?.[1];
    const last = await owner.submit(await owner.open(lastUrl ?? ''), {}, '/delete');
    expect(last.status).toBe(409);
    expect(textOf(last.html)).toContain("This is the app's last secret");
  });

  test('a single-page app has none, and may not do without PKCE', async () => {
    const page = await register({ kind: 'spa', requirePkce: '' });
    expect(textOf(page.html)).toContain('Required (S256)');
    expect(textOf(page.html)).not.toContain('Client secrets');
  });

  test('what is wrong stands beside its field, and nothing that was typed is lost', async () => {
    const page = await register({
      redirectUris: 'https://a.example/callback\nhttp://b.example/x\n',
      logoUrl: 'http://logo',
      scope: ['prompts:read', 'reports:write'],
    });
    expect(page.status).toBe(422);
    expect(page.html).toMatch(/id="logoUrl-error"/);
    expect(page.html).toContain('http://b.example/x');
    expect(page.html).toMatch(/value="reports:write" checked/);
    const fixed = await register({ redirectUris: 'https://a.example/callback\nhttp://b.example/x\n' });
    expect(textOf(fixed.html)).toContain('Line 2 must be https');
  });

  test('changing sends what differs; deleting asks first', async () => {
    const page = await register({ name: 'To change', homepageUrl: 'https://a.example' });
    const id = idIn(page.html.replace(/.*Client id/s, ''));
    const form = await owner.open(console_.path(`/apps/${id}/edit`));
    const saved = await owner.submit(
      form,
      {
        name: 'To change',
        kind: 'web',
        redirectUris: 'https://a.example/callback',
        scope: ['prompts:read', 'reports:read'],
        requirePkce: 'yes',
        homepageUrl: '',
        perDay: '500',
      },
      '/edit',
    );
    expect(textOf(saved.html)).toContain('Saved.');
    const [event] = await console_.services.auditLog.list(
      console_.made.organization.id,
      { type: 'app.updated' },
      { limit: 1, after: undefined },
    );
    expect(event?.data).toMatchObject({ fields: ['scopes', 'limits', 'homepageUrl'] });
    const question = await owner.open(console_.path(`/apps/${id}/delete`));
    await owner.submit(question, {}, '/delete');
    expect((await owner.open(console_.path(`/apps/${id}`))).status).toBe(404);
  });
});
