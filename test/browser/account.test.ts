import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { codeOf } from '../accounts/second-factor-support.ts';
import { me } from '../support/api.ts';
import { type AppServer, startAppServer } from '../support/app-server.ts';
import { launchBrowser, openPage, typePassword } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { registerTestApp } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce, postToken, type TokenAnswer } from '../support/site.ts';

describeWith('chromium', 'The owner of an account in Chromium', () => {
  let site: PreparedSite<{ ada: Person; app: { clientId: string; clientSecret: string } }>;
  let browser: Browser;
  let page: Page;
  let appServer: AppServer;
  const violations: string[] = [];

  beforeAll(async () => {
    appServer = await startAppServer();
    site = await startPreparedSite('embedded', async (services, made) => {
      const membership = { organizationId: made.organization.id, role: 'member' } as const;
      return {
        ada: await addPerson(services, 'ada@example.com', [membership], 'Ada'),
        app: await registerTestApp(services, {
          organizationId: made.organization.id,
          redirectUris: [appServer.redirectUri],
        }),
      };
    });
    browser = await launchBrowser();
    page = await openPage(await browser.newContext(), violations);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    await appServer?.close();
  });

  const url = (path: string) => new URL(path, site.server.url).href;

  test('allows an app, sees what it may do, withdraws it, and its token is refused', async () => {
    const { app } = site.extra;
    const { verifier, challenge } = pkce();
    await page.goto(
      authorizationUrl(site, challenge, {
        client_id: app.clientId,
        redirect_uri: appServer.redirectUri,
        scope: 'prompts:read reports:read',
      }),
    );
    await typePassword(page, site.extra.ada);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
    const response = await postToken(site, {
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: appServer.redirectUri,
      code: appServer.visited()?.searchParams.get('code') ?? '',
      code_verifier: verifier,
    });
    const { access_token: token } = (await response.json()) as TokenAnswer;
    expect((await me(site, token)).status).toBe(200);

    await page.goto(url('/account'));
    await page.getByRole('link', { name: 'Connected apps' }).click();
    expect(await page.locator('.may li').allTextContents()).toEqual([
      'See your prompts and all their versions',
      'See the reports you have generated',
    ]);
    await page.getByRole('link', { name: 'Withdraw' }).click();
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByText('No app is connected').waitFor();
    const deadline = Date.now() + 1_000;
    let { status } = await me(site, token);
    while (status !== 401 && Date.now() < deadline) ({ status } = await me(site, token));
    expect(status).toBe(401);
  }, 60_000);

  test('sets up an authenticator app by its picture, and signs in with a recovery code', async () => {
    await page.getByRole('link', { name: 'Sign-in methods' }).click();
    await page.getByRole('link', { name: /Set up/ }).click();
    expect(await page.evaluate("document.querySelector('.totp-picture').naturalWidth")).toBeGreaterThan(0); // the policy of the page lets it be shown
    const key = (await page.locator('.totp-key').textContent()) ?? '';
    await page.getByLabel('Code').fill(codeOf(key.replaceAll(' ', '')));
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    const [code = ''] = await page.locator('.codes code').allTextContents();

    await page.goto(url('/logout'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(url('/login?returnTo=/account/security'));
    await typePassword(page, site.extra.ada);
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('9 of 10 left').waitFor();
    expect(violations).toEqual([]);
  }, 60_000);
});
