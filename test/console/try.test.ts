import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimsOf } from '../support/site.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('Trying an app in the console', () => {
  let console_: Console;
  let owner: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    owner = console_.owner;
  });
  afterAll(() => console_?.close());

  const register = async (kind: string): Promise<string> => {
    const page = await owner.submit(
      await owner.open(console_.path('/apps/new')),
      {
        name: `To try: ${kind}`,
        kind,
        redirectUris: kind === 'service' ? '' : 'https://a.example/callback',
        scope: ['prompts:read', 'reports:read'],
        requirePkce: 'yes',
      },
      '/apps/new',
    );
    return /app_[0-9a-z]{26}/.exec(page.html.replace(/.*Client id/s, ''))?.[0] ?? '';
  };
  const ready = async (id: string): Promise<Page> => {
    const page = await owner.open(console_.path(`/apps/${id}/try`));
    return owner.submit(page, {}, '/redirect-uri');
  };
  const answer = (page: Page, decision: 'allow' | 'deny', scope = ['prompts:read']) =>
    owner.submit(page, { decision, scope, organization: console_.made.organization.id }, '/consent');
  const tokenIn = (html: string): string => /id="token"[^>]*><code>(eyJ[^<]+)/.exec(html)?.[1] ?? '';
  const me = async (token: string) =>
    (await (
      await fetch(`${console_.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
    ).json()) as Record<string, unknown>;

  test.each(['spa', 'native', 'web'])(
    'RFC 6749 §4.1, RFC 7636: %s: each step is shown, and the token works with what was allowed',
    async (kind) => {
      const id = await register(kind);
      const form = await ready(id);
      const consent = await owner.submit(form, { scope: ['prompts:read', 'reports:read'] }, '/try');
      expect(consent.html).toContain('name="decision"');
      const back = await answer(consent, 'allow');
      expect(textOf(back.html)).toMatch(/code_challenge_method.*Right: state.*Right: iss/);
      const done = await owner.submit(back, {}, '/exchange');
      expect(done.headers.get('cache-control')).toBe('no-store');
      const token = tokenIn(done.html);
      expect(claimsOf(token)).toMatchObject({ aud: id, scope: 'prompts:read' });
      expect(textOf(done.html)).toContain('"scope": "prompts:read"');
      expect(await me(token)).toMatchObject({ method: 'oauth_user', clientId: id });
      expect(done.html).not.toMatch(/rt_[0-9A-Za-z]{20}|secret_[0-9A-Za-z]{36}/);
      // The secret that was made for it is gone.
      expect(await console_.services.apps.usableSecrets(id)).toHaveLength(kind === 'web' ? 1 : 0);
    },
  );

  test('RFC 6749 §4.4: a service gets a token of its own', async () => {
    const id = await register('service');
    const form = await owner.open(console_.path(`/apps/${id}/try`));
    const done = await owner.submit(form, { scope: ['reports:read'] }, '/token');
    expect(await me(tokenIn(done.html))).toMatchObject({
      method: 'client_credentials',
      scopes: ['reports:read'],
    });
  });

  test('who denies sees that, and there is nothing to redeem', async () => {
    const consent = await owner.submit(
      await ready(await register('spa')),
      { scope: ['prompts:read'] },
      '/try',
    );
    const back = await answer(consent, 'deny');
    expect(textOf(back.html)).toContain('access_denied');
    expect(back.html).not.toContain('/exchange');
  });

  test('an answer that this browser did not ask for is not redeemed', async () => {
    const id = await register('spa');
    const consent = await owner.submit(await ready(id), { scope: ['prompts:read'] }, '/try');
    const back = await answer(consent, 'allow');
    const forged = new URL(back.url);
    forged.searchParams.set('state', 'another');
    const page = await owner.open(forged.href);
    expect(textOf(page.html)).toContain('Wrong: state');
    expect(page.html).not.toContain('/exchange');
    const mixedUp = new URL(back.url);
    mixedUp.searchParams.set('iss', 'https://evil.example');
    expect((await owner.open(mixedUp.href)).html).not.toContain('/exchange');
  });

  test('nothing ticked is told, and a code that was used is refused in words', async () => {
    const id = await register('spa');
    const none = await owner.submit(await ready(id), {}, '/try');
    expect(none.status).toBe(422);
    const form = await owner.open(console_.path(`/apps/${id}/try`));
    const consent = await owner.submit(form, { scope: ['prompts:read'] }, '/try');
    const back = await answer(consent, 'allow');
    const wrong = await owner.submit(back, { code: 'guessed' }, '/exchange');
    expect(textOf(wrong.html)).toContain('invalid_grant');
  });
});
