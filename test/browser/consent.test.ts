import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type AppServer, startAppServer } from '../support/app-server.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { latestMailTo } from '../support/mailbox.ts';
import { describeWith } from '../support/needs.ts';
import { registerTestApp } from '../support/prepare.ts';
import {
  authorizationUrl,
  claimsOf,
  pkce,
  postToken,
  type Site,
  startSite,
  type TokenAnswer,
} from '../support/site.ts';

const EMAIL = 'ada@example.com';
const PASSWORD = 'correct horse battery staple';

describeWith('chromium', 'A person in Chromium', () => {
  let site: Site;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const violations: string[] = [];
  let appServer: AppServer;
  let app: { clientId: string; clientSecret: string };

  const authorizeUrl = (challenge: string, scope: string) =>
    authorizationUrl(site, challenge, {
      client_id: app.clientId,
      redirect_uri: appServer.redirectUri,
      scope,
    });

  beforeAll(async () => {
    appServer = await startAppServer();
    site = await startSite({}, async (services, { organization }) => {
      app = await registerTestApp(services, {
        organizationId: organization.id,
        redirectUris: [appServer.redirectUri],
      });
    });
    browser = await launchBrowser();
    context = await browser.newContext({ javaScriptEnabled: true });
    page = await openPage(context, violations);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    await appServer?.close();
  });

  test('signs up, confirms by mail, signs in, unticks a scope, consents; the token holds just the rest', async () => {
    const { verifier, challenge } = pkce();
    await page.goto(authorizeUrl(challenge, 'prompts:read prompts:write reports:read'));
    await page.getByRole('link', { name: /create|sign up/i }).click();
    await page.getByLabel('Your name').fill('Ada Lovelace');
    await page.getByLabel(/e-mail/i).fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel(/organization/i).fill('Analytical Engines');
    await page.locator('main form button[type=submit], main form button:not([type])').first().click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();

    const mail = await latestMailTo(site.server.dataDir, EMAIL);
    await page.goto(mail.links[0] as string);
    await page.locator('main form button').click();
    await page.getByRole('heading', { name: /confirmed/i }).waitFor();
    await page.getByRole('link', { name: 'Sign in' }).first().click();

    await page.getByLabel(/e-mail/i).fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.locator('main form button').first().click();

    await page.getByRole('button', { name: 'Allow' }).waitFor();
    const boxes = page.locator('input[type=checkbox][name=scope]');
    expect(
      await boxes.evaluateAll((all) => all.map((box) => (box as unknown as { checked: boolean }).checked)),
    ).toEqual([true, true, true]);
    expect(await page.locator('main').textContent()).toContain(new URL(appServer.redirectUri).host);
    await page.locator('input[name=scope][value="prompts:write"]').uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Back at the app' }).waitFor();

    expect(appServer.visited()?.searchParams.get('state')).toBe('the-state');
    expect(appServer.visited()?.searchParams.get('iss')).toBe(site.server.url);
    const response = await postToken(site, {
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: appServer.redirectUri,
      code: appServer.visited()?.searchParams.get('code') ?? '',
      code_verifier: verifier,
    });
    const tokens = (await response.json()) as TokenAnswer;
    expect(tokens.scope).toBe('prompts:read reports:read');
    expect(claimsOf(tokens.access_token)['scope']).toBe('prompts:read reports:read');
    const write = await fetch(new URL('/v1/prompts', site.server.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokens.access_token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'n', content: 'c' }),
    });
    expect(write.status).toBe(403);
    expect(violations).toEqual([]);
  }, 60_000);

  test('is not asked again for the same scopes, and is asked again when they grow', async () => {
    appServer.forget();
    await page.goto(authorizeUrl(pkce().challenge, 'prompts:read reports:read'));
    await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
    expect(appServer.visited()?.searchParams.get('code')).toBeTruthy();

    await page.goto(authorizeUrl(pkce().challenge, 'prompts:read evaluations:read'));
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
    expect(appServer.visited()?.searchParams.get('error')).toBe('access_denied');
  }, 30_000);
});
