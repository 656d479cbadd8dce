import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { launchBrowser, openPage } from '../support/browser.ts';
import { mailsTo } from '../support/mailbox.ts';
import { describeWith } from '../support/needs.ts';
import { claimsOf, type Site, startSite } from '../support/site.ts';

const PASSWORD = 'correct horse battery staple';

describeWith('chromium', 'The console in Chromium', () => {
  let site: Site;
  let browser: Browser;
  let ada: Page;
  const contexts: BrowserContext[] = [];
  const violations: string[] = [];

  const newPage = async (options: { javaScriptEnabled?: boolean } = {}): Promise<Page> => {
    const context = await browser.newContext({ timezoneId: 'Asia/Kolkata', ...options });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    contexts.push(context);
    const page = await openPage(context, violations);
    page.on('pageerror', (error) => violations.push(error.message));
    return page;
  };
  const mailedLink = async (email: string, subject: RegExp): Promise<string> => {
    for (let tries = 0; tries < 200; tries++) {
      const mail = mailsTo(site.server.dataDir, email).find((one) => subject.test(one.subject));
      if (mail?.links[0]) return mail.links[0];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no mail to ${email} about ${subject}`);
  };
  const submit = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
  const go = async (page: Page, name: string) => {
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  };
  const call = (credential: string, path = '/v1/me') =>
    fetch(new URL(path, site.server.url), { headers: { authorization: `Bearer ${credential}` } });

  async function signUp(page: Page, person: { name: string; email: string; organization: string }) {
    await page.goto(`${site.server.url}/signup`);
    await page.getByLabel('Your name').fill(person.name);
    await page.getByLabel(/e-mail/i).fill(person.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel(/organization/i).fill(person.organization);
    await page.locator('main form button').first().click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await page.goto(await mailedLink(person.email, /confirm/i));
    await page.locator('main form button').click();
    await page.getByRole('heading', { name: /confirmed/i }).waitFor();
    await page.goto(`${site.server.url}/login`);
    await page.getByLabel(/e-mail/i).fill(person.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.locator('main form button').first().click();
    await page.getByRole('heading', { name: 'Your organizations' }).waitFor();
  }

  beforeAll(async () => {
    site = await startSite();
    browser = await launchBrowser();
    ada = await newPage();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  test('sign up → organization → key → a call with it → usage shows it', async () => {
    await signUp(ada, { name: 'Ada Lovelace', email: 'ada@example.com', organization: 'Analytical Engines' });
    await ada.getByRole('link', { name: 'Analytical Engines' }).click();
    await ada.getByRole('heading', { name: 'Make your first request' }).waitFor();

    await ada.getByRole('link', { name: 'Create an API key' }).click();
    await ada.getByLabel('Name').fill('Difference engine');
    await ada.getByLabel(/^Custom/).check();
    await ada.getByLabel('Prompts: Read').check();
    await ada.getByLabel(/^Addresses that/).fill('nowhere');
    await submit(ada, 'Create the key');
    await ada.getByRole('alert').getByText('One answer needs another look.').waitFor();
    expect(await ada.evaluate('document.activeElement.name')).toBe('ipAllowlist');
    await ada.getByLabel(/^Addresses that/).fill('');
    await submit(ada, 'Create the key');
    await ada.getByRole('heading', { name: 'Your new API key' }).waitFor();
    const key = (await ada.locator('#secret').textContent())?.trim() ?? '';
    await ada.getByRole('button', { name: 'Copy The value' }).click();
    expect(await ada.evaluate('navigator.clipboard.readText()')).toBe(key);

    expect((await call(key, '/v1/prompts')).status).toBe(200);
    expect((await call(key, '/v1/reports')).status).toBe(403);

    await ada.getByRole('link', { name: 'I have stored it' }).click();
    await go(ada, 'Usage');
    // Each count is written within a second.
    const both = ada.locator('#usage-table td[data-value="2"]');
    await expect(shows(ada, both)).resolves.toBe(true);
    await ada.locator('.chart canvas').waitFor();
    await ada.getByText('The same as a table').click();
    expect(await both.isVisible()).toBe(true);
    expect(await ada.getByText('Difference engine').count()).toBe(1);
  }, 120_000);

  test('times stand in the reader’s zone, and in UTC without a script', async () => {
    await go(ada, 'Audit log');
    const time = ada.locator('table time').first();
    const iso = (await time.getAttribute('datetime')) ?? '';
    const expected = (timeZone: string) =>
      new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(
        new Date(iso),
      );
    expect(await time.textContent()).toContain(expected('Asia/Kolkata'));
    expect(await time.getAttribute('title')).toContain(`${expected('UTC')} UTC`);
  }, 60_000);

  test('register an app → authorize → it is among the connected apps → withdraw → its token is refused', async () => {
    await go(ada, 'Apps');
    await ada.getByRole('link', { name: 'Register an app' }).click();
    await ada.getByLabel(/^Single-page app/).check();
    await ada.getByLabel('Name').fill('Engine room');
    await ada.getByLabel('Redirect URIs').fill('https://engine.example/callback');
    await ada.getByLabel('Prompts: Read').check();
    await ada.getByLabel('Reports: Read').check();
    await submit(ada, 'Register the app');
    await ada.getByRole('link', { name: 'Try it' }).click();
    await submit(ada, 'Add it to the app');
    await submit(ada, 'Start');
    await ada.locator('input[name=scope][value="reports:read"]').uncheck();
    await submit(ada, 'Allow');
    await ada.getByRole('heading', { name: 'Back at the app' }).waitFor();
    await submit(ada, 'Redeem the code');
    await ada.getByRole('heading', { name: 'A token' }).waitFor();
    const token = (await ada.locator('#token').textContent())?.trim() ?? '';
    expect(claimsOf(token)['scope']).toBe('prompts:read');
    expect((await call(token, '/v1/prompts')).status).toBe(200);

    await ada.locator('.bar-person summary').click();
    await ada.getByRole('link', { name: 'Your account' }).click();
    await ada
      .getByRole('navigation', { name: 'Account' })
      .getByRole('link', { name: 'Connected apps' })
      .click();
    await ada.getByRole('heading', { name: 'Engine room' }).waitFor();
    await ada.getByRole('link', { name: 'Withdraw Engine room' }).click();
    await submit(ada, 'Withdraw');
    await ada.getByRole('heading', { name: 'No app is connected' }).waitFor();
    expect((await call(token, '/v1/prompts')).status).toBe(401);
  }, 120_000);

  test('invite a member → they join → they see, and are refused what the role forbids', async () => {
    await ada.goto(`${site.server.url}/console`);
    await go(ada, 'Members');
    await ada.getByRole('link', { name: 'Invite somebody' }).click();
    await ada.getByLabel('E-mail').fill('grace@example.com');
    await ada.getByLabel(/^Viewer/).check();
    await submit(ada, 'Send the invitation');
    await ada.getByText('The invitation is on its way').waitFor();

    const grace = await newPage({ javaScriptEnabled: false }); // everything works without a script, too
    await signUp(grace, { name: 'Grace Hopper', email: 'grace@example.com', organization: 'Compilers' });
    await grace.goto(await mailedLink('grace@example.com', /join/i));
    await submit(grace, 'Accept');
    await grace.getByRole('link', { name: 'Continue' }).click();
    await grace.getByRole('link', { name: 'Analytical Engines' }).click();
    await go(grace, 'API keys');
    await grace.getByRole('link', { name: 'Difference engine' }).click();
    expect(await grace.getByRole('link', { name: 'Revoke' }).count()).toBe(0);
    expect(await grace.locator('time').first().textContent()).toContain('UTC');

    const key = grace.url();
    const token = await grace.locator('input[name=_csrf]').first().inputValue();
    for (const action of ['revoke', 'rotate', 'edit']) {
      const answer = await grace.request.post(`${key}/${action}`, { form: { _csrf: token, grace: '0' } });
      expect(answer.status()).toBe(403);
      expect(await answer.text()).toContain('organization:admin');
    }
    await grace.getByRole('link', { name: 'Test' }).click();
    await grace.getByRole('heading', { name: 'No test keys' }).waitFor();
    expect(await grace.getByText('Copy').isVisible()).toBe(false); // it could do nothing
  }, 120_000);

  test('no page broke the content security policy, or a script', () => {
    expect(violations).toEqual([]);
  });
});

/** Reloads until the page has it; false when it hasn't in ten seconds. */
async function shows(page: Page, what: Locator): Promise<boolean> {
  for (const until = Date.now() + 10_000; Date.now() < until; ) {
    if ((await what.count()) > 0) return true;
    await page.reload();
  }
  return false;
}
